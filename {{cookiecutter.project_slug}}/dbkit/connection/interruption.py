"""Ends a statement on SQLite that takes too long: there is no server that would do it.

https://www.sqlite.org/c3ref/interrupt.html
"""

import asyncio
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from dbkit.connection.engine import SQLITE_BUSY_TIMEOUT

TIMER = "ends statement"


def interrupt_after(engine: AsyncEngine, seconds: float) -> None:
    """Let a statement of `engine` fail with `SQLITE_INTERRUPT` after so many seconds.

    Its connection is as good as before. Waiting for another writer takes no longer either, and is
    `SQLITE_BUSY` then.
    """

    def begin(connection: Connection, *_others: Any) -> None:
        driver = connection.connection.driver_connection
        loop = asyncio.get_running_loop()

        async def interrupt() -> None:
            if not timer.cancelled():  # at this very moment
                with suppress(ValueError):  # it is closed
                    await driver.interrupt()  # type: ignore[union-attr]

        timer = loop.call_later(seconds, lambda: loop.create_task(interrupt()))
        connection.info[TIMER] = timer

    def end(connection: Connection, *_others: Any) -> None:
        if timer := connection.info.pop(TIMER, None):
            timer.cancel()

    def end_failed(context: ExceptionContext) -> None:
        # Where the request was cancelled, its statement still runs, on a connection to part with.
        if context.connection is not None and not context.is_disconnect:
            end(context.connection)

    def wait_for_locks(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {min(seconds, SQLITE_BUSY_TIMEOUT) * 1000:.0f}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", wait_for_locks)
    event.listen(engine.sync_engine, "before_cursor_execute", begin)
    event.listen(engine.sync_engine, "after_cursor_execute", end)
    event.listen(engine.sync_engine, "handle_error", end_failed)
