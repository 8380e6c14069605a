"""An event loop in a thread of its own: what belongs to it can be used from every other loop.

Each test has a loop of its own, and FastAPI's `TestClient` runs the application in yet another. A
connection of asyncpg works on one loop only.
"""

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

Result = TypeVar("Result")


class LoopThread:
    """Runs coroutines on its loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="test-database", daemon=True).start()

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await `work` from any loop; cancelling passes through."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def run_blocking(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for `work` from a thread without a loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Begin with `work`, and wait for nothing."""
        asyncio.run_coroutine_threadsafe(work, self.loop)


@cache
def loop_thread() -> LoopThread:
    """Return the one of this process."""
    return LoopThread()
