"""A connection beside a database, to another one of its server; a command may share one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection.server import connect
from dbkit.connection.url import DatabaseURL
from dbkit.errors import sqlstate
from dbkit.settings import get_settings

USUAL = "postgres"
ANSWER_WITHIN = 5.0  # seconds

# SQLSTATE of a database that was dropped, and of one that roles may not enter.
CLOSED_TO_US = ("3D000", "42501")


class _Shared:
    """Connections that nobody uses at this moment, each with what closes it."""

    def __init__(self) -> None:
        self._idle: list[tuple[DatabaseURL, AsyncConnection, AsyncExitStack]] = []

    @asynccontextmanager
    async def use(self, database: DatabaseURL) -> AsyncIterator[AsyncConnection]:
        """Lend a connection, to one user at a time; after an error it is closed."""
        async with AsyncExitStack() as stack:
            connection = await self._take(database, stack)
            yield connection
            if not connection.invalidated and _harms_nobody(connection):
                await connection.commit()  # SQLAlchemy's own note: the server is in autocommit mode
                self._idle.append((database, connection, stack.pop_all()))

    async def _take(self, database: DatabaseURL, stack: AsyncExitStack) -> AsyncConnection:
        for known in [one for one in self._idle if one[0] == database]:
            self._idle.remove(known)
            stack.push_async_exit(known[2])
            if await _answers(known[1]):
                return known[1]
            await known[1].invalidate()  # to say goodbye would wait for a server that is gone
            await stack.aclose()
        return await stack.enter_async_context(_open(database))

    async def close(self) -> None:
        """Close those that are idle."""
        async with AsyncExitStack() as all_of_them:
            for _, _, stack in self._idle:
                all_of_them.push_async_exit(stack)


_shared: ContextVar[_Shared | None] = ContextVar("shared", default=None)


@asynccontextmanager
async def shared_connections() -> AsyncIterator[None]:
    """Let `connect_beside` in the block use a connection again: each new one takes 10 ms."""
    shared = _Shared()
    token = _shared.set(shared)
    try:
        yield
    finally:
        _shared.reset(token)
        await shared.close()


@asynccontextmanager
async def connect_beside(database: DatabaseURL) -> AsyncIterator[AsyncConnection]:
    """`connect` to another database of the server, one that each server has from the start.

    A caller that sets a session variable must RESET it: others may share the session.
    """
    shared = _shared.get()
    async with shared.use(database) if shared else _open(database) as connection:
        yield connection


@asynccontextmanager
async def _open(database: DatabaseURL) -> AsyncIterator[AsyncConnection]:
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(connect(database.named(USUAL)))
        except DBAPIError as error:
            if sqlstate(error) not in CLOSED_TO_US:
                raise
            connection = await stack.enter_async_context(connect(database.named("template1")))
        yield connection


def _harms_nobody(connection: AsyncConnection) -> bool:
    """Tell whether nobody copies the database, which an idle connection would prevent."""
    return connection.engine.url.database == USUAL != get_settings().test_database_template


async def _answers(connection: AsyncConnection) -> bool:
    """Tell whether it is of use: it was idle for as long as the command worked without it."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        await driver.execute("SELECT 1", timeout=ANSWER_WITHIN)
    except Exception:  # whatever broke it, a new connection tells what is wrong
        return False
    return True
