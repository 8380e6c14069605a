"""Query a database, and have an answer in time even if it hangs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dbkit.connection.failures import explain
from dbkit.connection.url import DatabaseURL
from dbkit.errors import DatabaseUnavailable

Answer = TypeVar("Answer")

_abandoned: set[asyncio.Task[object]] = set()


async def query_within(
    seconds: float,
    engine: AsyncEngine,
    query: Callable[[AsyncConnection], Awaitable[Answer]],
) -> Answer:
    """Return what `query` returns, given a connection of the engine's pool.

    Args:
        seconds: how long to wait. A query that takes longer is abandoned, not awaited: cancelling
            asyncpg waits for a clean close of the connection, which can hang.

    Raises:
        DatabaseUnavailable: the reason, without the server's name.
    """

    if DatabaseURL(engine.url).is_missing:  # to connect would make the file of SQLite
        raise DatabaseUnavailable("no such database")

    async def answer() -> Answer:
        async with engine.connect() as connection, _waiting(connection, seconds):
            return await query(connection)

    task = asyncio.create_task(answer())
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        if engine.dialect.name != "sqlite":  # which ends by itself, and otherwise keeps its lock
            task.cancel()
        _abandoned.add(task)
        task.add_done_callback(_forget)
        raise DatabaseUnavailable("no answer in time")
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, DatabaseUnavailable):
        raise error
    # Advice for developers is no answer for whoever asks over HTTP.
    reason = (explain(error) or type(error).__name__).partition(";")[0]
    raise DatabaseUnavailable(reason) from error


@asynccontextmanager
async def _waiting(connection: AsyncConnection, seconds: float) -> AsyncIterator[None]:
    """Let SQLite wait for a lock no longer than is asked for.

    What is abandoned while it waits would get the lock later, and stand in the way of a writer.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    wait = "PRAGMA busy_timeout"
    usual = await connection.scalar(text(wait))
    await connection.exec_driver_sql(f"{wait} = {seconds * 900:.0f}")
    try:
        yield
    finally:
        await connection.exec_driver_sql(f"{wait} = {usual}")


def _forget(task: asyncio.Task[object]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # read, so that asyncio does not report it as unhandled
