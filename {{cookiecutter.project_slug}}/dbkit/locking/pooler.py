"""Tells a connection pooler that lends a session for good from one that lends it for a moment."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL, connect
from dbkit.connection.libpq_options import CACHES

TIME_LIMIT = 3  # seconds: a pooler may have no second session to lend


async def keeps_session(driver: Any, pid: int, database: DatabaseURL) -> bool:
    """Tell whether the server's process `pid` stays with the connection `driver` while it is idle.

    A second connection sends a notification to that process. It arrives only if the pooler has
    left the process to this client, as it does in session mode. What belongs to the session, such
    as a lock, is then this client's until it leaves.
    https://www.postgresql.org/docs/current/sql-notify.html
    """
    channel = f"migration_{secrets.token_hex(8)}"
    heard = asyncio.Event()

    def hear(*_notification: object) -> None:
        heard.set()

    await driver.add_listener(channel, hear)
    try:
        async with asyncio.timeout(TIME_LIMIT):
            if await _notify(database, channel) == pid:  # which is lent to others meanwhile
                return False
            await heard.wait()
    except (TimeoutError, SQLAlchemyError, OSError):
        return False
    finally:
        await driver.remove_listener(channel, hear)
    return True


async def give_back(connection: AsyncConnection, driver: Any, script: str) -> None:
    """Run `script` at the end of a session that a pooler lent, unless it is broken.

    Most poolers clean up by themselves (PgBouncer's `server_reset_query`), and not each is told to.
    """
    import asyncpg  # not above: a project on SQLite starts sooner without

    broken = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    with suppress(SQLAlchemyError, OSError, *broken):
        if not driver.is_closed():
            await connection.rollback()
            await driver.execute(script)


async def _notify(database: DatabaseURL, channel: str) -> int:
    """Send a notification from another connection; return the number of its process."""
    uncached = dict.fromkeys(CACHES, 0)
    beside = replace(database, connect_args=database.connect_args | uncached)
    async with connect(beside) as connection:
        query = text("SELECT pg_backend_pid() FROM pg_notify(:channel, '')")
        pid: int = (await connection.execute(query, {"channel": channel})).scalar_one()
        # In the same process it ends what the first connection has begun there.
        await connection.exec_driver_sql(f"UNLISTEN {channel}")
    return pid
