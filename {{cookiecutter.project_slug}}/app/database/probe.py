"""Ask a database something, and have an answer in time even if it hangs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.database.errors import DatabaseUnavailable, explain

Answer = TypeVar("Answer")

_abandoned: set[asyncio.Task[object]] = set()


async def ask(
    engine: AsyncEngine, question: Callable[[AsyncConnection], Awaitable[Answer]], *, within: float
) -> Answer:
    """What `question` returns, given a connection of the engine's pool.

    Args:
        within: seconds. A driver that is cancelled first says goodbye to a server that no longer
            listens; nobody waits for that here.

    Raises:
        DatabaseUnavailable: the reason, without the server's name.
    """

    async def answer() -> Answer:
        async with engine.connect() as connection:
            return await question(connection)

    task = asyncio.create_task(answer())
    done, _ = await asyncio.wait({task}, timeout=within)
    if not done:
        task.cancel()
        _abandoned.add(task)
        task.add_done_callback(_forget)
        raise DatabaseUnavailable("no answer in time")
    error = task.exception()
    if error is None:
        return task.result()
    # What a developer may do about it is no answer for whoever asks over HTTP.
    reason = (explain(error) or type(error).__name__).partition(";")[0]
    raise DatabaseUnavailable(reason) from error


def _forget(task: asyncio.Task[object]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # seen: asyncio need not report it
