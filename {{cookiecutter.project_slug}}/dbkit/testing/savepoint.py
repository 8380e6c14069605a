"""The transaction of a test, and the savepoint in it, on a connection of asyncpg or aiosqlite."""

import sqlite3
from contextlib import suppress
from typing import Any

import asyncpg

from dbkit.connection.read_only import QUERY_ONLY

NAME = "of_the_app"
# A transaction that changes something gets an identifier, and holds a lock on it until its end:
# https://www.postgresql.org/docs/current/view-pg-locks.html
IDENTIFIERS = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND pid = pg_backend_pid()"
)
# Checks what is deferred until a commit, and leaves it deferred:
# https://www.postgresql.org/docs/current/sql-set-constraints.html
CHECK_DEFERRED = (
    "SAVEPOINT checked; SET CONSTRAINTS ALL IMMEDIATE;"
    " ROLLBACK TO SAVEPOINT checked; RELEASE SAVEPOINT checked"
)


def _is_postgresql(raw: Any) -> bool:
    return isinstance(raw, asyncpg.Connection)


async def begin_transaction(raw: Any) -> None:
    """Begin the transaction that nobody commits."""
    if _is_postgresql(raw):
        await raw.transaction().start()  # asyncpg wants to know of it, to open cursors
    else:  # the pragma has no effect in a transaction
        await raw.execute("PRAGMA foreign_keys = ON")
        await raw.execute("BEGIN")


async def end_transaction(raw: Any) -> None:
    """Roll back all that was done, unless the connection is lost, which does the same."""
    if not (_is_postgresql(raw) and raw.is_closed()):
        await raw.execute("ROLLBACK")


async def begin(raw: Any, *, only_reads: bool) -> int:
    """Set the savepoint; returns the number of changes before it.

    Args:
        only_reads: refuse what changes something, until the savepoint ends.
    """
    await raw.execute(f"SAVEPOINT {NAME}")
    if not _is_postgresql(raw):
        await raw.execute(f"{QUERY_ONLY} = {int(only_reads)}")
    elif only_reads:
        await raw.execute("SET TRANSACTION READ ONLY")  # which ends with the savepoint
    return await count_changes(raw)


async def release(raw: Any) -> None:
    """Keep what has been done since."""
    await raw.execute(f"RELEASE SAVEPOINT {NAME}")


async def undo(raw: Any) -> None:
    """Undo what has been done since; the savepoint stays."""
    await raw.execute(f"ROLLBACK TO SAVEPOINT {NAME}")


async def count_changes(raw: Any) -> int:
    """Return a number that grows with what the transaction changes."""
    if _is_postgresql(raw):
        return int(await raw.fetchval(IDENTIFIERS))
    # Rows, and what CREATE, ALTER and DROP change: https://www.sqlite.org/pragma.html#pragma_schema_version
    async with raw.execute(
        "SELECT total_changes() + schema_version FROM pragma_schema_version"
    ) as cursor:
        (changes,) = await cursor.fetchone()
    return int(changes)


async def check_deferred(raw: Any) -> None:
    """Do what releasing a savepoint does not: only a commit checks deferred constraints."""
    if _is_postgresql(raw):
        await raw.execute(CHECK_DEFERRED)
        return
    with suppress(sqlite3.OperationalError):  # of a foreign key that no SQLite can check
        async with raw.execute("PRAGMA foreign_key_check") as cursor:
            if await cursor.fetchone() is not None:
                raise sqlite3.IntegrityError("FOREIGN KEY constraint failed")
