"""Where a database stands among the revisions of this checkout: for health checks and for code."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit import revisions
from dbkit.connection import DatabaseURL, app_database, connect, one_line_errors
from dbkit.environment import load_options
from dbkit.errors import INSUFFICIENT_PRIVILEGE, sqlstate
from dbkit.history import UnknownRevision, check_ahead
from dbkit.revisions import Status, UnreadableRevisions, read_current

__all__ = [
    "Status",
    "UnreadableRevisions",
    "compare_revisions",
    "current_revisions",
    "judge",
    "judge_current",
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


async def judge(connection: AsyncConnection, status: Status) -> Status:
    """Return the status with what the history says of a revision that this code does not know.

    Health checks, `MIGRATE_ON_START` and `REQUIRE_MIGRATED` all go by it. A database on which
    revisions of this code never ran is refused. One of which the history says nothing, or which
    this user may not read, is taken for one that newer code has migrated.
    """
    if not status.unknown:
        return status
    try:
        await connection.run_sync(check_ahead, status.current, revisions.scripts())
    except CommandError as error:
        is_known = not isinstance(error, UnknownRevision)
        return replace(status, doubt=str(error), diverged=is_known)
    except DBAPIError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
    return status


async def judge_current(connection: AsyncConnection) -> Status:
    """Return current revisions, head, what is pending, and what the history says against it.

    Raises:
        UnreadableRevisions: as `current_revisions` and `compare_revisions` do.
    """
    current = await current_revisions(connection)
    # Many revision files take a moment, the first time.
    status = await asyncio.to_thread(compare_revisions, current)
    return await judge(connection, status)


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
            return await judge_current(connection)


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
