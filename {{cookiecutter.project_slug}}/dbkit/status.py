"""Where a database stands among the revisions of this checkout: for health checks and for code."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit import revisions
from dbkit.connection import DatabaseURL, app_database, connect, one_line_errors
from dbkit.environment import load_options
from dbkit.revisions import Status, UnreadableRevisions, read_current

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
        UnreadableRevisions: the database answers, but this user lacks a GRANT, or `alembic/env.py`
            cannot be run; the text names it.
    """
    with _readable_files():
        options = load_options()
    return await read_current(connection, options)


def compare_revisions(current: tuple[str, ...]) -> Status:
    """Return the status of a database whose version table holds `current`.

    Raises:
        UnreadableRevisions: a file cannot be read; the text names it.
    """
    with _readable_files():
        return revisions.compare_revisions(current)


async def read_status(database: DatabaseURL | None = None) -> Status:
    """Return current revisions, head and what is pending, by a single query; changes nothing.

    Args:
        database: the one that `DATABASE_URL` names, if none is given.

    Raises:
        DatabaseUnavailable: no connection; or one of its kind, `UnreadableRevisions`: see above.
    """
    database = (database or app_database()).for_reading()
    with one_line_errors(database):
        async with connect(database, keep_limits=True) as connection:
            current = await current_revisions(connection)
    # The first time, all revision files are read.
    return await asyncio.to_thread(compare_revisions, current)


@contextmanager
def _readable_files() -> Iterator[None]:
    """Name the file that cannot be read, and its line.

    Not what was raised there: it may hold anything, and be shown to whoever asks for the health.
    """
    try:
        yield
    except CommandError as error:
        place = str(error).partition(": ")[0]
        raise UnreadableRevisions(f"this code's revisions cannot be read: {place}") from error
