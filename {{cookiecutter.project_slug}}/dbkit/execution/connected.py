"""Alembic's commands call and wait; what they do to a database happens on an event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alembic import context
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection.failures import one_line
from dbkit.connection.engine import create_engine
from dbkit.connection.url import DatabaseURL
from app.migrator import sqlite


def run_async(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` on an event loop of its own; `config.attributes["stop"]()` cancels it.

    `config.attributes["stopped"]` says that it should not even begin.

    Code whose own loop is running, and which calls Alembic's commands all the same, waits here.
    """

    async def run() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            context.config.attributes["stop"] = lambda: loop.call_soon_threadsafe(task.cancel)
        if "stopped" in context.config.attributes:  # before there was anything to cancel
            work.close()
            raise asyncio.CancelledError
        await work

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(run())
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, run()).result()


async def connected(
    database: DatabaseURL, work: Callable[[AsyncConnection], Awaitable[None]]
) -> None:
    """Do `work` on a connection of its own to `database`, which is closed afterwards.

    Raises:
        DatabaseUnavailable: no connection, or one that broke.
    """
    engine = create_engine(database, poolclass=NullPool)
    if database.dialect == "sqlite":
        sqlite.prepare_for_migrations(engine)
    try:
        with one_line(database):
            async with engine.connect() as connection:
                await work(connection)
    finally:
        await engine.dispose()
