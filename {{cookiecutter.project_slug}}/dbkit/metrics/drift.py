"""Whether the schema was changed by hand since the last run: looked at seldom, beside the service.

A schema of a thousand tables takes half a second of the processor to read, so a thread does it, on
an event loop of its own. No scrape waits for it: what it finds is seen by the next one.
"""

import asyncio
import math
import threading
import time
from contextlib import suppress

from alembic.util import CommandError
from prometheus_client import Gauge
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL
from dbkit.errors import DatabaseUnavailable
from dbkit.history import Scope, Snapshot, find_snapshot, read_history
from dbkit.locking import is_locked, lock_key, reading
from dbkit.schema import find_under_construction, read, without_indexes

WITHIN = 60.0  # seconds for one look
EVERY = 300.0  # seconds from one look to the next

SINCE = Gauge(
    "migrations_drift_since_timestamp_seconds",
    "The run since which the schema was changed by hand; 0 if it was not.",
)
SINCE.set(math.nan)  # until it is known
_next = 0.0
_thread: threading.Thread | None = None


def refresh_drift(database: DatabaseURL, options: EnvironmentOptions) -> None:
    """Begin to look again, if that was not done a while ago; does not wait for what is found."""
    global _next, _thread
    if time.monotonic() < _next or (_thread is not None and _thread.is_alive()):
        return
    _next = time.monotonic() + EVERY
    # A daemon: nobody who stops the service waits for a server that does not answer.
    _thread = threading.Thread(target=_look, args=(database, options), daemon=True)
    _thread.start()


def _look(database: DatabaseURL, options: EnvironmentOptions) -> None:
    """Set the gauge. Without an answer, and during a migration, it stays as it was."""

    async def find() -> float | None:
        async with asyncio.timeout(WITHIN), reading(database) as connection:
            return await connection.run_sync(changed_since, options)

    # Whatever the server says against it, the next look may succeed.
    with suppress(DatabaseUnavailable, SQLAlchemyError, CommandError, TimeoutError):
        since = asyncio.run(find())
        if since is not None:
            SINCE.set(since)


def changed_since(connection: Connection, options: EnvironmentOptions) -> float | None:
    """Return when the run began since which the schema is not what that run left.

    Returns:
        0 if it is what the last run left; NaN if the history does not know what that was; None
        if a migration is under way.
    """
    unfinished = find_under_construction(connection)
    last = _last_snapshot(connection)
    if last is None:
        return math.nan
    picture = without_indexes(read(connection), unfinished)
    if _is_migrated(connection, options) or _last_snapshot(connection) != last:
        return None
    if last.why_not_comparable(picture):
        return math.nan
    return last.began if last.differs(Scope.of(options).fingerprint(picture)) else 0.0


def _last_snapshot(connection: Connection) -> Snapshot | None:
    """Read it in a transaction of its own, so that a later call sees what came meanwhile."""
    connection.rollback()
    last = find_snapshot(read_history(connection))
    connection.rollback()
    return last


def _is_migrated(connection: Connection, options: EnvironmentOptions) -> bool:
    """Tell whether somebody migrates at this moment; on SQLite, nobody sees half of a run."""
    if connection.dialect.name == "sqlite":
        return False
    name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
    return is_locked(connection, lock_key(name, options.version_table))
