"""The one connection of a test, in a transaction that is rolled back at the end.

Whatever the application opens, whether a session for each request, a background task's or plain
connections, works on it, each in a savepoint:
https://docs.sqlalchemy.org/en/21/orm/session_transaction.html#joining-a-session-into-an-external-transaction-such-as-for-test-suites

There is one savepoint at a time: of whoever has changed something and has not ended its
transaction. Those who have only read step aside.
"""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import iscoroutine
from typing import Any

from dbkit.testing import savepoint

PATIENCE = 5.0  # seconds to wait for another transaction to end


class OneConnection(RuntimeError):
    """Two transactions at once, which the one connection of a test cannot have."""


class Member:
    """One of those who share the connection: what stands for a connection of the application."""

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None  # the last that used it
        self.failed = False
        self.only_reads = False
        self.changes = 0  # of all before it
        self.savepoints = 0  # of its own, which are set and not yet ended

    def is_abandoned(self) -> bool:
        """Whether nobody is left who could end its transaction while another one waits."""
        return self.task is None or self.task.done()


class SharedConnection:
    """The connection. Everything here runs on the loop on which `connect` is awaited.

    Args:
        connect: opens a connection of asyncpg or aiosqlite.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._raw: Any = None
        self._turn = asyncio.Condition()
        self._current: Member | None = None
        self._is_over = False

    async def connection(self) -> Any:
        """Return the driver's connection, in its transaction."""
        async with self._turn:
            self._refuse_if_over()
            if self._raw is None:
                self._raw = await self._connect()
                await savepoint.begin_transaction(self._raw)
            return self._raw

    async def act(self, member: Member, work: Awaitable[Any]) -> Any:
        """Await `work`, a call of the driver, when it is the member's turn."""
        try:
            async with self._turn:
                self._refuse_if_over()
                await self._take_turn(member)
                try:
                    return await work
                except BaseException:
                    member.failed = True
                    raise
        finally:
            if iscoroutine(work):  # which may not have had its turn
                work.close()

    async def commit(self, member: Member) -> None:
        """Keep what the member has changed, until the end of the test."""
        async with self._turn:
            member.savepoints = 0
            if self._current is member and not self._is_over:
                try:
                    await savepoint.check_deferred(self._raw)
                except BaseException:
                    await self._undo()
                    raise
                await self._release()

    async def rollback(self, member: Member) -> None:
        """Undo what the member has changed."""
        async with self._turn:
            member.savepoints = 0
            if self._current is member and not self._is_over:
                await self._undo()

    async def close(self) -> None:
        """Roll everything back, and close the connection."""
        async with self._turn:
            self._is_over = True
            raw, self._raw = self._raw, None
            if raw is not None:
                await savepoint.end_transaction(raw)
                await raw.close()

    def _refuse_if_over(self) -> None:
        if self._is_over:
            raise OneConnection("the test is over: what it has started went on behind its end")

    async def _take_turn(self, member: Member) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while self._current is not member:
            other = self._current
            if other is None or await self._has_only_read(other):
                if other is not None:
                    await self._release()
                member.changes = await savepoint.begin(self._raw, only_reads=member.only_reads)
                self._current, member.failed = member, False
                return
            left = deadline - loop.time()
            if other.is_abandoned() or other.task is member.task or left <= 0:
                raise OneConnection(
                    "another session has changed something and has neither committed nor rolled"
                    " back, and all sessions of a test share one connection: commit first, or mark"
                    " the test with @pytest.mark.own_connections"
                )
            try:
                await asyncio.wait_for(self._turn.wait(), left)
            except TimeoutError:
                continue

    async def _has_only_read(self, member: Member) -> bool:
        if member.failed or member.savepoints:  # which would end with the one around them
            return False
        return await savepoint.count_changes(self._raw) == member.changes

    async def _release(self) -> None:
        await savepoint.release(self._raw)
        self._current = None
        self._turn.notify_all()

    async def _undo(self) -> None:
        await savepoint.undo(self._raw)
        await self._release()
