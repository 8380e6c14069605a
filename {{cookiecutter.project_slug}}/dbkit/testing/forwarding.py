"""A driver's objects, usable on every event loop: their coroutines run where they belong."""

from collections.abc import Awaitable, Callable, Generator
from inspect import isawaitable
from typing import Any

import aiosqlite
from asyncpg.cursor import Cursor
from asyncpg.prepared_stmt import PreparedStatement
from asyncpg.transaction import Transaction

# What a connection returns and what has coroutines of its own.
DRIVERS_OBJECTS = (aiosqlite.Cursor, Cursor, PreparedStatement, Transaction)

Perform = Callable[[Awaitable[Any]], Awaitable[Any]]


class Pending:
    """What a driver's method returned, to be awaited, or to be entered with `async with`."""

    def __init__(self, awaitable: Any, perform: Perform) -> None:
        self._awaitable = awaitable
        self._perform = perform

    async def _run(self, awaitable: Awaitable[Any]) -> Any:
        return forwarded(await self._perform(awaitable), self._perform)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._run(self._awaitable).__await__()

    async def __aenter__(self) -> Any:
        return await self._run(self._awaitable.__aenter__())


class Forwarder:
    """Stands for `target`; what has to be awaited goes through `perform`."""

    def __init__(self, target: Any, perform: Perform) -> None:
        self._target = target
        self._perform = perform

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any, **keywords: Any) -> Any:
            return forwarded(attribute(*arguments, **keywords), self._perform)

        return call


def forwarded(result: Any, perform: Perform) -> Any:
    """Return what stands for the result of a driver's method; for plain values, the result."""
    if isinstance(result, DRIVERS_OBJECTS):
        return Forwarder(result, perform)
    return Pending(result, perform) if isawaitable(result) else result
