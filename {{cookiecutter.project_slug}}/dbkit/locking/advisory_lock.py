"""One migrator at a time on PostgreSQL: an advisory lock, held by the migration's own connection.

The lock is polled, with a commit between two tries. A session that waited inside
`pg_advisory_lock` would be in a transaction that `CREATE INDEX CONCURRENTLY` waits for, and so
would one that held the lock on another connection. It ends with its connection, however that ends.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

import hashlib

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

HELD = """
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid::bigint << 32 | l.objid::bigint = :key
"""
SINCE = "to_char(a.backend_start, 'HH24:MI:SS TZ')"
HOLDER = text(f"SELECT a.pid, a.application_name, {SINCE} AS since {HELD}")
IS_HELD = text(f"SELECT EXISTS (SELECT {HELD})")


def lock_key(database: str, version_table: str) -> int:
    """Return the same 64-bit number to everybody who migrates this database with that table."""
    digest = hashlib.sha256(f"alembic:{database}:{version_table}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


async def try_lock(connection: AsyncConnection, key: int) -> bool:
    """Take the lock if it is free. Leaves no transaction open."""
    taken = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})
    await connection.commit()
    return bool(taken)


def is_locked(connection: Connection, key: int) -> bool:
    """Tell whether somebody has the lock: a migration is under way."""
    return bool(connection.scalar(IS_HELD, {"key": key}))


async def lock_holder(connection: AsyncConnection, key: int) -> str:
    """Describe who has the lock, for people. Leaves no transaction open."""
    row = (await connection.execute(HOLDER, {"key": key})).first()
    await connection.commit()
    if row is None:
        return "another migration, which has just ended"
    # Of another user's session, PostgreSQL shows the process alone.
    name = f"{row.application_name}, " if row.application_name else ""
    since = f", connected since {row.since}" if row.since else ""
    return f"another migration: {name}process {row.pid}{since}"
