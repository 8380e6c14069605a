"""One migrator at a time on PostgreSQL: an advisory lock, held by the migration's own connection.

The lock is polled, with a commit between two tries. A session that waited inside
`pg_advisory_lock` would be in a transaction that `CREATE INDEX CONCURRENTLY` waits for, and so
would one that held the lock on another connection. It ends with its connection, however that ends.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import hashlib
import os
import socket
from dataclasses import dataclass
from typing import Any

from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.settings import DatabaseSettings

# Nothing is set in a session that a pooler lent: it would keep the settings for others.
# client_connection_check_interval ends the statement of a client that is gone, where the server's
# system can tell (macOS cannot before PostgreSQL 15, Windows not at all).
# https://www.postgresql.org/docs/current/runtime-config-connection.html
PREPARE = text(r"""
SELECT pg_backend_pid() AS pid, current_database() AS database,
    CASE WHEN pg_backend_pid() = :pid THEN ARRAY[
        set_config('lock_timeout', :lock_timeout, false),
        set_config('statement_timeout', :statement_timeout, false),
        set_config('application_name',
            coalesce(nullif(current_setting('application_name'), ''), :name), false),
        (SELECT set_config(name, '500ms', false) FROM pg_settings
         WHERE name = 'client_connection_check_interval' AND version() ~* 'linux')
    ] END
""")
HOLDER = text("""
SELECT a.pid, a.application_name, to_char(a.backend_start, 'HH24:MI:SS TZ') AS since
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid::bigint << 32 | l.objid::bigint = :key
""")


@dataclass(frozen=True)
class LockSession:
    """A connection that migrates: its process in the server, and the key of the lock."""

    pid: int
    key: int


def lock_key(database: str, version_table: str) -> int:
    """Return the same 64-bit number to everybody who migrates this database with that table."""
    digest = hashlib.sha256(f"alembic:{database}:{version_table}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def prepare_session(
    connection: AsyncConnection, settings: DatabaseSettings, version_table: str
) -> LockSession:
    """Set the timeouts of `connection`, and check that no connection pooler is in between.

    Raises:
        CommandError: there is a pooler, which would give each transaction another session, and
            leave the lock with a session that others get.
    """
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    arguments = {
        "pid": driver.get_server_pid(),
        "lock_timeout": f"{settings.migration_lock_timeout * 1000:.0f}ms",
        "statement_timeout": f"{settings.migration_timeout * 1000:.0f}ms",
        "name": f"migration on {socket.gethostname()} ({os.getpid()})"[:63],
    }
    row = (await connection.execute(PREPARE, arguments)).one()
    await connection.commit()
    if row.pid != arguments["pid"]:
        raise CommandError(
            "a connection pooler stands before the database, and locks do not hold through it: "
            "set MIGRATION_DATABASE_URL to the database's own address; nothing was changed"
        )
    return LockSession(row.pid, lock_key(row.database, version_table))


async def try_lock(connection: AsyncConnection, session: LockSession) -> bool:
    """Take the lock if it is free. Leaves no transaction open."""
    arguments = {"key": session.key}
    taken = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), arguments)
    await connection.commit()
    return bool(taken)


async def lock_holder(connection: AsyncConnection, session: LockSession) -> str:
    """Describe who has the lock, for people. Leaves no transaction open."""
    row = (await connection.execute(HOLDER, {"key": session.key})).first()
    await connection.commit()
    if row is None:
        return "another migration, which has just ended"
    name = f"{row.application_name}, " if row.application_name else ""
    return f"another migration: {name}process {row.pid}, connected since {row.since}"
