"""The revision that the kit writes for random models, in this process and without a file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import StaticPool

import dbkit.operations  # noqa: F401 - registers those of enum types and others
from dbkit.autogenerate import autogenerate_options, with_pictures
from dbkit.autogenerate.description import describe
from dbkit.autogenerate.directives import prepare
from dbkit.autogenerate.mends import add_mends
from dbkit.autogenerate.models_database import rebuild
from dbkit.autogenerate.proof import Outcome
from dbkit.autogenerate.scope import Scope
from dbkit.autogenerate.two_pictures import ANY_SCHEMA, TwoPictures
from dbkit.autogenerate.verification import ROUNDS
from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.schema import Picture, read

NAMES = {"op": op, "postgresql": postgresql, "sa": sa, "sqlite": sqlite}


@contextmanager
def copied(connection: Connection) -> Iterator[Connection]:
    """The same database, to change and to throw away: on PostgreSQL, a transaction that is rolled back."""
    if connection.dialect.name == "postgresql":
        connection.begin()
        try:
            yield connection
        finally:
            connection.rollback()
        return
    copy = sqlite3.connect(":memory:")
    driver: Any = connection.connection.driver_connection
    driver.backup(copy)
    engine = sa.create_engine("sqlite://", creator=lambda: copy, poolclass=StaticPool)
    with engine.connect() as other:
        yield other
    engine.dispose()
    copy.close()


class OurRevision:
    """A file that the kit writes, proved and completed.

    Args:
        connection: of the database that it is written for, and runs on.
        metadata: of the models.
        found: what the database holds.
    """

    def __init__(self, connection: Connection, metadata: MetaData, found: Picture) -> None:
        self._connection = connection
        options = EnvironmentOptions(lambda: metadata)
        keywords = autogenerate_options(alembic_config(), connection.dialect.name, options)
        self._pictures = pictures = self._look(keywords, found)
        self._keywords = with_pictures(keywords, pictures, options)
        with connection.begin():
            self._context = MigrationContext.configure(connection, opts=self._keywords)
            self._script = produce_migrations(self._context, metadata)
        prepare(self._script, pictures, self._context)
        self._render()
        self.is_empty = self._script.upgrade_ops_list[0].is_empty() and not pictures.differences()
        for _ in range(ROUNDS):
            if self.is_empty or not add_mends([self._script], self._proved()):
                break
            self._render()

    def upgrade(self) -> None:
        """Run the file's upgrade."""
        self._run("upgrade", self._connection)
        self._connection.commit()

    def downgrade(self) -> None:
        """Run the file's downgrade."""
        self._run("downgrade", self._connection)
        self._connection.commit()

    def _look(self, keywords: dict[str, Any], found: Picture) -> TwoPictures:
        filters = {"include_name": keywords[ANY_SCHEMA], "include_object": keywords["include_object"]}
        is_postgresql = self._connection.dialect.name == "postgresql"
        schema = self._connection.dialect.default_schema_name if is_postgresql else None
        scope = Scope(keywords["target_metadata"], found, filters, schema, frozenset())
        with copied(self._connection) as connection:
            rebuild(connection, scope)
            wanted = read(connection)
        described = describe(scope, found, wanted), describe(scope, wanted)
        return TwoPictures(scope, *described, self._connection.dialect)

    def _render(self) -> None:
        options: dict[str, Any] = {
            "render_item": self._keywords["render_item"],
            "render_as_batch": self._keywords["render_as_batch"],
            "migration_context": self._context,
        }
        up, down = (
            render_python_code(changes[0], **options)
            for changes in (self._script.upgrade_ops_list, self._script.downgrade_ops_list)
        )
        self.text = f"def upgrade():\n    {up}\n\ndef downgrade():\n    {down}\n"

    def _proved(self) -> Outcome:
        outcome = Outcome()
        before = self._pictures.scope.found
        with copied(self._connection) as connection:
            self._run("upgrade", connection)
            outcome.judge_upgrade(self._pictures, read(connection))
            self._run("downgrade", connection)
            outcome.judge_downgrade(before, read(connection))
        return outcome

    def _run(self, function: str, connection: Connection) -> None:
        namespace: dict[str, Any] = {**NAMES}
        exec(self.text, namespace)  # noqa: S102 - as Alembic runs a file
        context = MigrationContext.configure(connection, opts=self._keywords)
        with Operations.context(context):
            namespace[function]()
