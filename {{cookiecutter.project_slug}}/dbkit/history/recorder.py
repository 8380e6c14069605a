"""Writes the rows of the history.

The row of a success is part of its revision's transaction, and as true as that. The row of a
failure is written on another connection, because its revision is rolled back.
"""

import asyncio
import logging
from typing import Any

from alembic.runtime.migration import MigrationInfo
from sqlalchemy import Connection, insert
from sqlalchemy.exc import SQLAlchemyError

from dbkit.connection import DatabaseURL, connect
from dbkit.history.storage import create_table
from dbkit.history.table import DONE, FAILED, Author, Measurements, history, row_of

ADD_ROW = insert(history).inline()  # nobody asks which number the row has got
log = logging.getLogger("alembic.migrator")
TIME_LIMIT = 5  # seconds for the row of a failure: the server may be what failed


def record_applied(
    connection: Connection, info: MigrationInfo, measured: Measurements, author: Author
) -> None:
    """Add the row of a step that succeeded, in the transaction that `connection` is in."""
    connection.execute(ADD_ROW, storable(connection, row_of(info, measured, author, DONE)))


def storable(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """Return the row in letters that the database's encoding has: a name fails no revision."""
    if connection.dialect.name == "sqlite":
        return row
    driver: Any = connection.connection.driver_connection
    if driver.get_settings().server_encoding == "UTF8":
        return row
    return {
        name: value.encode("ascii", "backslashreplace").decode()
        if isinstance(value, str)
        else value
        for name, value in row.items()
    }


async def record_failed(
    database: DatabaseURL, info: MigrationInfo, measured: Measurements, author: Author, error: str
) -> None:
    """Add the row of a step that failed, on a connection of its own; log if that fails too."""
    row = row_of(info, measured, author, FAILED, error)

    def write(connection: Connection) -> None:
        create_table(connection)
        connection.execute(ADD_ROW, storable(connection, row))

    try:
        async with asyncio.timeout(TIME_LIMIT), connect(database) as connection:
            await connection.run_sync(write)
    except (SQLAlchemyError, OSError) as unreachable:
        log.warning("the failure is not in the history: %s", type(unreachable).__name__)
