"""Migrates, or looks what is pending, as an application starts.

Fifty containers may do so at once: one migrates, the others wait for it, and at head none does.
"""

import asyncio
import logging

from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncEngine

from dbkit.connection import DatabaseURL, app_database, migration_database, query_within
from dbkit.environment import load_options
from dbkit.errors import DatabaseUnavailable
from dbkit.execution import migration_connection, upgrade
from dbkit.history import UnknownRevision
from dbkit.locking import WaitBudget, limited_waits
from dbkit.revisions import compare_revisions, read_current
from dbkit.settings import get_settings
from dbkit.status import Status, judge, judge_current, read_status

__all__ = ["Status", "ensure_migrated", "migrate_if_needed", "read_status"]

log = logging.getLogger("alembic.migrator")
LOOK_WITHIN = 2.0  # seconds; an application that need not be migrated does not wait for a server


async def ensure_migrated(engine: AsyncEngine) -> None:
    """Do what `MIGRATE_ON_START` and `REQUIRE_MIGRATED` say before the application serves.

    Without both, it only warns, once, of what is pending.

    Args:
        engine: the application's.

    Raises:
        CommandError: a revision failed, or revisions are pending where none may be.
        DatabaseUnavailable: no connection within `MIGRATION_WAIT`.
    """
    settings = get_settings()
    if settings.migrate_on_start:
        try:
            status: Status | None = await migrate_if_needed()
        except UnknownRevision as error:  # there is nothing to migrate, and it may be newer code's
            log.warning("%s", error)
            return
    elif settings.require_migrated:
        budget = WaitBudget(settings.migration_wait)
        async with migration_connection(app_database().for_reading(), budget) as connection:
            current = await read_current(connection, load_options())
            found = await asyncio.to_thread(compare_revisions, current)
            status = await judge(connection, found)
    else:
        status = await _look(engine)
    if status is None or (status.up_to_date and not status.doubt):
        return
    line = status.doubt or f"{status.pending} pending: 'make migrate' runs them"
    if settings.require_migrated and not status.up_to_date:
        raise CommandError(f"{line}; REQUIRE_MIGRATED lets nothing start before")
    log.warning("%s", line)


async def _look(engine: AsyncEngine) -> Status | None:
    """Return the status, or None of a database that cannot be asked at once."""
    try:
        if DatabaseURL(engine.url).is_missing:  # a file of SQLite that a migration will make
            return await asyncio.to_thread(compare_revisions, ())
        return await query_within(LOOK_WITHIN, engine, judge_current)
    except DatabaseUnavailable as error:
        log.warning("the database does not answer yet: %s", error)
        return None


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
