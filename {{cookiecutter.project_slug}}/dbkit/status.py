"""Where a database stands among the revisions of this checkout: for health checks and for code."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL, app_database, connect, one_line_errors
from dbkit.environment import load_options
from dbkit.revisions import Status, UnreadableRevisions, compare_revisions, read_current

__all__ = [
    "Status",
    "UnreadableRevisions",
    "compare_revisions",
    "current_revisions",
    "read_status",
]


async def current_revisions(connection: AsyncConnection) -> tuple[str, ...]:
    """Return what the version table holds, by a single query; nothing if the table is missing.

    Raises:
        UnreadableRevisions: the database answers, but this user lacks a GRANT; the text names it.
    """
    return await read_current(connection, load_options())


async def read_status(database: DatabaseURL | None = None) -> Status:
    """Return current revisions, head and what is pending, by a single query; changes nothing.

    Args:
        database: the one that `DATABASE_URL` names, if none is given.

    Raises:
        DatabaseUnavailable: no connection.
    """
    database = (database or app_database()).for_reading()
    with one_line_errors(database):
        async with connect(database) as connection:
            current = await current_revisions(connection)
    # The first time, all revision files are read.
    return await asyncio.to_thread(compare_revisions, current)
