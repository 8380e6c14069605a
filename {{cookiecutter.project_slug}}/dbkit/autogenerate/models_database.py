"""Builds what the models say, in place of what the revisions have built of it.

The tables, enum types and sequences that models describe are set aside there, and the models' own
`create_all` makes them anew. What no model describes, such as functions and extensions, stays.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from warnings import catch_warnings

from alembic.util import CommandError
from sqlalchemy import Connection, Table, event, inspect
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from sqlalchemy.schema import CheckFirst, CreateSchema

from dbkit.autogenerate.properties import LONGEST_NAME
from dbkit.autogenerate.scope import Scope
from dbkit.autogenerate.setting_aside import set_aside
from dbkit.errors import error_text
from dbkit.metadata import creating, run_script


def rebuild(connection: Connection, scope: Scope) -> None:
    """Replace, in a copy of what the revisions have built, what models describe.

    Raises:
        CommandError: the database does not take what the models say; names the table.
    """
    if connection.dialect.name == "sqlite":
        _drop_on_sqlite(connection, scope)
    else:
        _check_names(scope)
        set_aside(connection, scope)
    _create(connection, scope)


def _check_names(scope: Scope) -> None:
    """https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS."""
    for table in scope.tables:
        for name in (table.name, *(column.name for column in table.columns)):
            if len(name.encode()) > LONGEST_NAME:
                raise CommandError(
                    f"table {table.fullname}: PostgreSQL keeps {LONGEST_NAME} bytes of a name, and "
                    f"{name} has {len(name.encode())}: shorten it in the models"
                )


def _drop_on_sqlite(connection: Connection, scope: Scope) -> None:
    """Drop the tables; views and triggers go, too: no model describes these."""
    connection.commit()
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # has no effect in a transaction
    quote = connection.dialect.identifier_preparer.quote_identifier
    for one in scope.found.objects.values():
        if one.kind == "view":  # which nothing could read without its tables
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {quote(one.name)}")
    for one in scope.replaced.values():
        # What a virtual table keeps its content in has gone with it.
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quote(one.name)}")


def _create(connection: Connection, scope: Scope) -> None:
    inspector = inspect(connection)
    if connection.dialect.name != "sqlite":
        for schema in sorted(scope.schemas - {*inspector.get_schema_names()}):
            connection.execute(CreateSchema(schema))
    here = {
        scope.key("table", schema, name)
        for schema in {table.schema for table in scope.tables}
        for name in inspector.get_table_names(schema)
    }
    tables = [
        table
        for table in scope.tables
        if scope.key("table", table.schema, table.name) not in here  # of an extension
    ]
    with _one_line() as current, catch_warnings(action="ignore", category=SAWarning):
        current.append("models")
        if _send_script(connection, scope, tables):
            return
        scope.metadata.create_all(
            connection, tables, checkfirst=CheckFirst.TYPES | CheckFirst.SEQUENCES
        )


def _send_script(connection: Connection, scope: Scope, tables: list[Table]) -> bool:
    """Create all by one script; tell whether that worked: if not, `create_all` says what fails."""
    if connection.dialect.name == "sqlite":
        return False
    try:
        statements = creating(scope.metadata, connection.dialect, tables)
    except Exception:  # a listener needs a database, or a type cannot be written
        return False
    return run_script(connection, statements)


@contextmanager
def _one_line() -> Iterator[list[str]]:
    """Say which table it was that the database or its dialect refused."""
    current: list[str] = []

    def note(table: Table, _connection: Connection, **_options: Any) -> None:
        current.append(f"table {table.fullname}")

    event.listen(Table, "before_create", note)
    try:
        yield current
    except SQLAlchemyError as error:
        raise CommandError(
            f"the database does not take what the models say: {current[-1]}: {error_text(error)}"
        ) from error
    finally:
        event.remove(Table, "before_create", note)
