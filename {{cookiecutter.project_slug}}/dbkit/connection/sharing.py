"""A query for whoever asks now and then, and one a second for all who ask by the thousand."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dbkit.connection.time_limit import query_within

BURST = 10.0  # queries that may follow each other at once
Answer = TypeVar("Answer")


@dataclass
class _Asked:
    """The last time that a question was put to a database, and how often it may be again."""

    allowed: float = BURST
    at: float = field(default_factory=time.monotonic)
    answer: "asyncio.Task[Any] | None" = None

    def may_ask(self) -> bool:
        """Tell whether to ask the database, which earns the right to one question a second."""
        now = time.monotonic()
        self.allowed, self.at = min(BURST, self.allowed + now - self.at), now
        if self.allowed < 1 and self._is_of_this_loop():
            return False
        self.allowed = max(0, self.allowed - 1)
        return True

    def _is_of_this_loop(self) -> bool:
        return self.answer is not None and self.answer.get_loop() is asyncio.get_running_loop()


_asked: WeakKeyDictionary[Engine, dict[object, _Asked]] = WeakKeyDictionary()


async def share_query(
    seconds: float,
    engine: AsyncEngine,
    query: Callable[[AsyncConnection], Awaitable[Answer]],
) -> Answer:
    """Return what `query_within` returns; if asked too often, its last answer, of the last second.

    Args:
        seconds: how long to wait.
        query: a function of a module, by which questions are told apart.

    Raises:
        DatabaseUnavailable: the reason, without the server's name.
    """
    asked = _asked.setdefault(engine.sync_engine, {}).setdefault(query, _Asked())
    if asked.may_ask() or asked.answer is None:
        asked.answer = asyncio.create_task(query_within(seconds, engine, query))
        asked.answer.add_done_callback(_look_at_failure)
    answer: Answer = await asyncio.shield(asked.answer)
    return answer


def _look_at_failure(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()  # read, so that asyncio does not report it where nobody waits any more
