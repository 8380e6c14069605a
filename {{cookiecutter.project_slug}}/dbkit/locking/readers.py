"""Reads a live database, and does not wait for ever for a table that another session has locked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL, connect, one_line_errors
from dbkit.errors import LOCK_NOT_AVAILABLE, DatabaseUnavailable, sqlstate
from dbkit.locking.blockers import DESCRIBED
from dbkit.revisions import MigrationError
from dbkit.settings import get_settings

# ACCESS EXCLUSIVE is what a reader waits for, also if it is itself waited for. The server's
# functions that describe indexes, defaults, constraints and views open their table, too.
# https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
LOCKERS = text(f"""
SELECT {DESCRIBED} || CASE WHEN granted THEN ' has locked ' ELSE ' waits to lock ' END || tables
FROM pg_stat_activity AS a
JOIN (
    SELECT l.pid, l.granted,
        array_to_string((array_agg(c.oid::regclass::text ORDER BY c.oid))[1:3], ', ') AS tables
    FROM pg_locks AS l
    JOIN pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    GROUP BY l.pid, l.granted
) AS locks USING (pid)
WHERE pid <> pg_backend_pid()
ORDER BY NOT granted, a.xact_start
LIMIT 1
""")


class TableLocked(DatabaseUnavailable):
    """The database answers, and somebody keeps what is to be read locked."""


@asynccontextmanager
async def reading(database: DatabaseURL) -> AsyncIterator[AsyncConnection]:
    """Open a connection, outside of autocommit, whose waits for locks are limited.

    Raises:
        DatabaseUnavailable: no connection, or what is to be read is locked.
    """
    with one_line_errors(database):
        async with (
            connect(database, autocommit=False) as connection,
            limited_waits(connection, database),
        ):
            yield connection


@asynccontextmanager
async def limited_waits(connection: AsyncConnection, database: DatabaseURL) -> AsyncIterator[None]:
    """Let each transaction on an engine that only reads wait `MIGRATION_LOCK_TIMEOUT` for a lock.

    The limit is the transaction's, not the session's: a pooler may lend that to others.

    Raises:
        TableLocked: what is to be read stays locked for longer; names who has locked it.
    """
    if database.dialect == "sqlite":  # where a reader waits for nobody
        yield
        return
    seconds = get_settings().migration_lock_timeout
    limit = partial(limit_wait, seconds=seconds)
    event.listen(connection.sync_engine, "begin", limit)
    try:
        yield
    except (DBAPIError, MigrationError) as error:
        cause = error.__cause__ if isinstance(error, MigrationError) else error
        if cause is None or sqlstate(cause) != LOCK_NOT_AVAILABLE:
            raise
        await connection.rollback()
        locker = await connection.run_sync(find_locker)
        raise TableLocked(
            f"{database.server}: a table that has to be read was locked for longer than "
            f"{seconds:g} s (MIGRATION_LOCK_TIMEOUT){locker}; run it again when that has ended"
        ) from None
    finally:
        event.remove(connection.sync_engine, "begin", limit)


def limit_wait(connection: Connection, seconds: float) -> None:
    """Let no statement of the transaction wait longer for a lock, whoever the session is lent."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{seconds * 1000:.0f}ms'")


def find_locker(connection: Connection) -> str:
    """Return `: process … has locked …`, or nothing where none is left; waits for nobody."""
    found = connection.scalar(LOCKERS)
    return f": {found}" if found else ""
