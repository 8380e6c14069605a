"""Writes and runs the revision of a random change, and compares real databases.

What writes it is an argument: `BareWriter` is Alembic's autogenerate with the kit's options.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateSchema

from dbkit.autogenerate import autogenerate_options
from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.schema import Difference, Picture, differences, read
from support.random_models.models import Models


class Revision(Protocol):
    """What a writer returns."""

    text: str

    def upgrade(self) -> None: ...
    def downgrade(self) -> None: ...


Writer = Callable[[Connection, MetaData], Revision]


@dataclass
class Failure(Exception):
    """One thing that went wrong: at which stage, and what.

    Args:
        kind: the same for the same fault, whatever the names.
    """

    stage: str
    text: str
    kind: str
    revision: str = ""


class BareRevision:
    """A file of autogenerate's, on the connection that it was written for."""

    def __init__(self, connection: Connection, metadata: MetaData) -> None:
        options = EnvironmentOptions(lambda: metadata)
        keywords = autogenerate_options(alembic_config(), connection.dialect.name, options)
        self.context = MigrationContext.configure(connection, opts=keywords)
        with connection.begin():
            script = produce_migrations(self.context, metadata)
        assert script.upgrade_ops and script.downgrade_ops
        self.is_empty = script.upgrade_ops.is_empty()
        render: dict[str, Any] = {"render_item": keywords["render_item"], "migration_context": self.context}
        render["render_as_batch"] = keywords["render_as_batch"]
        self.text = "".join(
            f"def {name}():\n    {render_python_code(ops, **render)}\n    pass\n"
            for name, ops in (("upgrade", script.upgrade_ops), ("downgrade", script.downgrade_ops))
        )
        self.text += "".join(f"# {line}\n" for line in keywords["changes_by_hand"])
        self.keywords = keywords

    def _run(self, name: str) -> None:
        from alembic_postgresql_enum import TableReference

        namespace = {"sa": sa, "op": op, "postgresql": postgresql, "sqlite": sqlite, "TableReference": TableReference}
        exec(self.text, namespace)  # noqa: S102
        connection = self.context.connection
        context = MigrationContext.configure(connection, opts={**self.keywords})
        try:
            with Operations.context(context), context.begin_transaction(_per_migration=False):
                namespace[name]()
        finally:
            if connection.in_transaction():
                connection.rollback()

    def upgrade(self) -> None:
        self._run("upgrade")

    def downgrade(self) -> None:
        self._run("downgrade")


def build(connection: Connection, models: Models, schemas: Iterable[str]) -> None:
    """Make what models say, in schemas that are made, too."""
    for schema in sorted(schemas):
        connection.execute(CreateSchema(schema))
    models.metadata().create_all(connection)


def picture_of(connection: Connection, models: Models, schemas: Iterable[str]) -> Picture:
    """Return the picture of an empty database with the models, and leave it empty."""
    with connection.begin() as transaction:
        build(connection, models, schemas)
        picture = read(connection)
        transaction.rollback()
    return picture


def clear(connection: Connection) -> None:
    """Make a database as it was when it was created."""
    with connection.begin():
        if connection.dialect.name == "postgresql":
            names = connection.exec_driver_sql(
                "SELECT nspname FROM pg_namespace WHERE oid >= 16384 OR nspname = 'public'"
            ).scalars()
            preparer = connection.dialect.identifier_preparer
            for name in names.all():
                connection.exec_driver_sql(f"DROP SCHEMA {preparer.quote(name)} CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
            connection.exec_driver_sql("COMMENT ON SCHEMA public IS 'standard public schema'")


def attempt(a: Connection, b: Connection, before: Models, after: Models, write: Writer = BareRevision) -> Failure | None:
    """Return what fails of: written, up, A = B, nothing more to write, down, A as it was.

    Args:
        a: an empty database, which gets the models before and the revision.
        b: another one, for the models after; it stays empty.
    """
    schemas = before.schemas
    try:
        with a.begin():
            build(a, before, schemas)
        old = read(a)
        wanted = picture_of(b, after, schemas | after.schemas)
        return _attempt(a, old, wanted, after, write)
    finally:
        clear(a)


def _attempt(a: Connection, old: Picture, wanted: Picture, after: Models, write: Writer) -> Failure | None:
    try:
        revision = write(a, after.metadata())
    except Exception as error:  # noqa: BLE001
        return failure("write", error)
    try:
        revision.upgrade()
    except Exception as error:  # noqa: BLE001
        return failure("up", error, revision.text)
    if found := differences(read(a), wanted):
        return compared("A is not B", found, revision.text)
    try:
        again = write(a, after.metadata())
    except Exception as error:  # noqa: BLE001
        return failure("write again", error, revision.text)
    if not again.is_empty:
        return Failure("does not converge", again.text, "", revision.text)
    try:
        revision.downgrade()
    except Exception as error:  # noqa: BLE001
        return failure("down", error, revision.text)
    if found := differences(read(a), old):
        return compared("down leaves", found, revision.text)
    return None


def failure(stage: str, error: Exception, revision: str = "") -> Failure:
    """Describe an error; its kind is its text without names."""
    text = str(error).partition("\n[SQL")[0] if not isinstance(error, SyntaxError) else repr(error)
    kind = re.sub(r"""(["']).*?\1|\d+""", "…", text.splitlines()[0] if text else "")
    return Failure(stage, f"{type(error).__name__}: {error}", f"{type(error).__name__}: {kind}"[:160], revision)


def compared(stage: str, found: list[Difference], revision: str) -> Failure:
    """Describe differences; their kind is the kinds of objects and the properties."""
    kinds = set()
    for one in found:
        thing = one.first or one.second
        what = "/".join(one.facets) or ("too much" if one.second is None else "missing")
        kinds.add(f"{thing.kind} {what}")
    return Failure(stage, "\n".join(one.describe("A", "wanted") for one in found), ", ".join(sorted(kinds)), revision)
