"""Migrates from code with a running event loop, such as the lifespan of an application.

Fifty containers may do so at once: one migrates, the others wait for it, and at head none does.
"""

import asyncio

from alembic.util import CommandError

from dbkit.connection import DatabaseURL, migration_database
from dbkit.environment import load_options
from dbkit.execution import migration_connection, upgrade
from dbkit.locking import WaitBudget, limited_waits
from dbkit.revisions import compare_revisions, read_current
from dbkit.settings import get_settings
from dbkit.status import Status, read_status

__all__ = ["Status", "migrate_if_needed", "read_status"]


async def migrate_if_needed(database: DatabaseURL | None = None) -> Status:
    """Upgrade to the newest revision, if any is pending; the same guarded road as `make migrate`.

    A server that is starting is waited for, within `MIGRATION_WAIT` as all else. It works on the
    caller's event loop. Cancelled, it rolls back the revision that is under way.

    Args:
        database: the one that `MIGRATION_DATABASE_URL` or `DATABASE_URL` names, if none is given.

    Raises:
        CommandError: a revision failed, or should not be run; one line.
        DatabaseUnavailable: no connection.
    """
    database = database or migration_database()
    budget = WaitBudget(get_settings().migration_wait)
    async with (
        migration_connection(database, budget) as connection,
        limited_waits(connection, database),
    ):
        current = await read_current(connection, load_options())
    status = await asyncio.to_thread(compare_revisions, current)
    if status.pending or status.unknown:  # which may be ahead, or on another branch
        try:
            await upgrade(database, load_options(), budget=budget, keep_schema=True)
        except CommandError as error:
            raise error from None  # applications log tracebacks, and the cause may show a row
        status = await read_status(database)
    return status
