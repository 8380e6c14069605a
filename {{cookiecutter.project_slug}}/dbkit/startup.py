"""For code with a running event loop, such as the lifespan of an application.

Fifty containers may do so at once: one migrates, the others wait for it, and at head none does.
"""

import asyncio
from contextlib import suppress
from threading import Lock

from dbkit.connection.failures import one_line
from dbkit.connection.server import connect
from dbkit.connection.url import DatabaseURL, app_database, migration_database
from dbkit.config import alembic_config
from dbkit.status import Status, compare, read_current

ALEMBIC = Lock()  # its environment is one for the whole process: two databases take turns


async def read_status(database: DatabaseURL | None = None) -> Status:
    """Current revisions, head and what is pending, by a single query; changes nothing.

    Raises:
        DatabaseUnavailable: no connection.
    """
    database = database or app_database()
    with one_line(database):
        async with connect(database) as connection:
            current = await read_current(connection)
    # The first time, all revision files are read.
    return await asyncio.to_thread(compare, current)


async def migrate_if_needed(database: DatabaseURL | None = None) -> Status:
    """Upgrade to the newest revision, if any is pending; the same guarded road as `make migrate`.

    Cancelled, it rolls the revision back that is under way, and ends.

    Args:
        database: the one that `MIGRATION_DATABASE_URL` or `DATABASE_URL` names, if none is given.

    Raises:
        CommandError: a revision failed, or should not be run; one line.
        DatabaseUnavailable: no connection.
    """
    database = database or migration_database()
    here = await read_status(database)
    if here.pending or here.unknown:  # which may be ahead, or on another branch
        await _upgrade(database)
        here = await read_status(database)
    return here


async def _upgrade(database: DatabaseURL) -> None:
    from alembic import command  # not above: at head, nobody waits for what it imports

    config = alembic_config(database)

    def alone() -> None:
        with ALEMBIC:
            if "stopped" not in config.attributes:
                command.upgrade(config, "heads")

    # Alembic's environment has an event loop of its own, which needs a thread without one.
    upgrade = asyncio.create_task(asyncio.to_thread(alone))
    try:
        await asyncio.shield(upgrade)
    except asyncio.CancelledError:
        config.attributes["stopped"] = True
        if "stop" in config.attributes:
            with suppress(RuntimeError):  # its loop has ended meanwhile
                config.attributes["stop"]()
        await asyncio.wait([upgrade])
        raise
