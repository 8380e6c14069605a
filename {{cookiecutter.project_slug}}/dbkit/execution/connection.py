"""The connection that migrates: waited for while no server is there that could."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

from alembic.util import CommandError
from sqlalchemy import NullPool, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dbkit.connection import DatabaseURL, create_engine, one_line_errors
from dbkit.connection.availability import may_answer_later
from dbkit.connection.failures import describe_failure
from dbkit.connection.libpq_options import CACHES
from dbkit.connection.server import lift_limits
from dbkit.execution import sqlite
from dbkit.locking import WaitBudget

SHORTEST_TRY = 1.0  # seconds, also where MIGRATION_WAIT is 0: a server that is far away needs some


@asynccontextmanager
async def migration_connection(
    database: DatabaseURL, budget: WaitBudget | None = None
) -> AsyncIterator[AsyncConnection]:
    """Open a connection for migrations alone, and close it afterwards.

    Args:
        budget: how long to wait for a server that may answer later; without one, not at all.

    Raises:
        CommandError: the database is in memory, and would be gone with the connection; or the
            budget is used up.
        DatabaseUnavailable: no connection, or one that broke.
    """
    if database.in_memory:
        raise CommandError("a database in memory would be gone with this command")
    if database.dialect == "postgresql":
        from dbkit.execution.last_word import LastWordConnection  # which imports asyncpg

        # A revision may change a table that it has read: its cached plan would then be refused.
        uncached = dict.fromkeys(CACHES, 0)
        own = uncached | {"connection_class": LastWordConnection}
        database = replace(database, connect_args=database.connect_args | own)
    engine = create_engine(database, poolclass=NullPool)
    if database.dialect == "sqlite":
        sqlite.prepare_engine(engine)
    else:
        event.listen(engine.sync_engine, "connect", lift_limits)
        if budget is not None:
            _connect_within(engine, budget)
    try:
        with one_line_errors(database):
            async with AsyncExitStack() as stack:
                yield await _connect(stack, engine, database, budget)
    finally:
        await engine.dispose()


def _connect_within(engine: AsyncEngine, budget: WaitBudget) -> None:
    """Let no try to connect take longer than what is left to wait, but for a moment."""

    def limit(_dialect: Any, _record: Any, _arguments: Any, keywords: dict[str, Any]) -> None:
        left = max(budget.seconds - budget.waited, SHORTEST_TRY)
        keywords["timeout"] = min(keywords.get("timeout") or left, left)

    event.listen(engine.sync_engine, "do_connect", limit)


async def _connect(
    stack: AsyncExitStack, engine: AsyncEngine, database: DatabaseURL, budget: WaitBudget | None
) -> AsyncConnection:
    tries = 0
    while True:
        begun = monotonic()
        try:
            return await stack.enter_async_context(engine.connect())
        except Exception as error:
            if budget is None or not may_answer_later(error, database):
                raise
            budget.spend(monotonic() - begun)
            reason = f"waiting for {describe_failure(error, database)}"
        await budget.back_off(tries, reason, longest=1.0)
        tries += 1
