"""A pool of connections that serves requests in the order in which they came.

With SQLAlchemy's own, whoever comes next may take a connection that was just returned, before the
one that was woken for it: under load, a request can wait for seconds while later ones are
answered, and one whose connection could not be made wakes nobody. It also closes each connection
above its size at once, and makes it again for the next request.
https://docs.sqlalchemy.org/en/21/core/pooling.html
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, Pool
from sqlalchemy.util import await_only, greenlet_spawn

SURPLUS = 5.0  # seconds that a connection above the size may be idle


class FairPool(Pool):
    """First come, first served: `poolclass` of an `AsyncEngine`, all of one event loop.

    The connection that was used last is used next, so that those above the size become idle, and
    close. Methods have the names of SQLAlchemy's `QueuePool`.
    """

    _is_asyncio = True

    def __init__(
        self,
        creator: Callable[..., Any],
        pool_size: int = 5,
        max_overflow: int = 10,
        timeout: float = 30.0,
        **options: Any,
    ) -> None:
        """Open nothing yet.

        Args:
            pool_size: how many connections stay open.
            max_overflow: how many more there may be.
            timeout: seconds to wait for a connection while all are in use.
        """
        super().__init__(creator, **options)
        self._size, self._max_overflow, self._timeout = pool_size, max_overflow, timeout
        self._idle: deque[tuple[ConnectionPoolEntry, float]] = deque()
        self._used = 0
        self._places = asyncio.Semaphore(pool_size + max_overflow)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None  # kept, or it might be collected

    def size(self) -> int:
        """Return how many connections stay open."""
        return self._size

    def checkedin(self) -> int:
        """Return how many connections are idle."""
        return len(self._idle)

    def checkedout(self) -> int:
        """Return how many connections are in use."""
        return self._used

    def overflow(self) -> int:
        """Return how many connections are open above the size."""
        return max(0, self._used + len(self._idle) - self._size)

    def status(self) -> str:
        """Say the same in words."""
        return f"{self._used} of {self._size} + {self._max_overflow} connections are in use"

    def _do_get(self) -> ConnectionPoolEntry:
        self._loop = _running_loop()
        if self._places.locked():
            self._wait()
        else:
            await_only(self._places.acquire())
        self._used += 1
        try:
            return self._idle.pop()[0] if self._idle else self._create_connection()
        except BaseException:
            self._leave()
            raise

    def _wait(self) -> None:
        try:
            await_only(asyncio.wait_for(self._places.acquire(), self._timeout))
        except TimeoutError:
            raise PoolTimeout(f"{self.status()}, for {self._timeout:g} s", code="3o7r") from None

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        self._idle.append((record, time.monotonic()))
        if self._loop is None or self._loop.is_closed() or self._loop is _running_loop():
            self._leave()
        else:  # the garbage collector works in any thread
            self._loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._used -= 1
        self._places.release()
        self._plan_to_close()

    def _plan_to_close(self) -> None:
        loop = _running_loop()
        if loop and self.overflow() and self._idle and self._timer is None:
            self._timer = loop.call_later(SURPLUS, self._begin_to_close, loop)

    def _begin_to_close(self, loop: asyncio.AbstractEventLoop) -> None:
        self._closing = loop.create_task(greenlet_spawn(self._close_surplus))

    def _close_surplus(self) -> None:
        self._timer = None
        while self.overflow() and self._idle and time.monotonic() - self._idle[0][1] >= SURPLUS:
            self._idle.popleft()[0].close()
        self._plan_to_close()  # those that are used meanwhile are idle later

    def recreate(self) -> "FairPool":
        """Return a new pool like this one."""
        return type(self)(
            self._creator,
            pool_size=self._size,
            max_overflow=self._max_overflow,
            timeout=self._timeout,
            recycle=self._recycle,
            echo=self.echo,
            logging_name=self._orig_logging_name,
            reset_on_return=self._reset_on_return,
            pre_ping=self._pre_ping,
            _dispatch=self.dispatch,
            dialect=self._dialect,
        )

    def dispose(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop()[0].close()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
