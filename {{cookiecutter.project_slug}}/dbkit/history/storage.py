"""Creates the table of the history, extends that of an older kit, and reads it."""

from typing import Any

from sqlalchemy import Connection, Row, null, select, text
from sqlalchemy.schema import CreateColumn, CreateTable

from dbkit.history.table import ADDED, TABLE, history

COLUMNS = {
    "postgresql": text(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:name)"
        " AND attnum > 0 AND NOT attisdropped"
    ),
    "sqlite": text("SELECT name FROM pragma_table_info(:name)"),
}


def create_table(connection: Connection) -> None:
    """Create the table if it is missing.

    It is looked for first: a role that may not create tables needs no right for one that exists.
    """
    if not find_columns(connection):
        connection.execute(CreateTable(history, if_not_exists=True))


def add_columns(connection: Connection) -> None:
    """Add the columns that the table of an older kit lacks; that kit goes on writing without them.

    Raises:
        DBAPIError: the role may not alter the table, or somebody reads it for too long.
    """
    there = find_columns(connection)
    for name in ADDED:
        if name not in there:
            definition = CreateColumn(history.c[name]).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {TABLE} ADD COLUMN {definition}")


def find_columns(connection: Connection) -> set[str]:
    """Return the names of the columns that the table has; none if there is no table."""
    return set(connection.scalars(COLUMNS[connection.dialect.name], {"name": TABLE}))


def read_history(connection: Connection) -> list[Row[Any]]:
    """Return all rows, the oldest first; without pictures, and None for a column that is missing.

    Returns:
        Nothing if there is no table yet.
    """
    there = find_columns(connection)
    if not there:
        return []
    missing = set(ADDED) - there
    columns = (
        null().label(column.name) if column.name in missing else column
        for column in history.columns
        if column.name != "picture"
    )
    return list(connection.execute(select(*columns).order_by(history.c.id)))
