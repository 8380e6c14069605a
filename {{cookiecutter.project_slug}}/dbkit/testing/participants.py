"""What stands for a connection of the driver, so that SQLAlchemy notices no difference."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import aiosqlite
import asyncpg

from dbkit.connection.read_only import QUERY_ONLY
from dbkit.testing.forwarding import Forwarder
from dbkit.testing.loop import loop_thread
from dbkit.testing.transaction import Member, SharedConnection


async def connect(dialect: str, *arguments: Any, **keywords: Any) -> Any:
    """Open a connection of asyncpg or aiosqlite; both take their own arguments."""
    if dialect == "postgresql":
        return await asyncpg.connect(*arguments, **keywords)
    connection = aiosqlite.connect(*arguments, **keywords)
    connection._thread.daemon = True  # as SQLAlchemy does: one that is not closed ends nothing
    return await connection


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


async def perform(work: Awaitable[Any]) -> Any:
    """Await `work` on the loop of all connections."""
    return await loop_thread().run(_awaited(work))


class Participant(Forwarder):
    """Works in a savepoint of the shared connection, as if that were one of its own."""

    def __init__(self, raw: Any, shared: SharedConnection) -> None:
        super().__init__(raw, self.act)
        self.raw = raw
        self.shared = shared
        self.member = Member()

    async def act(self, work: Awaitable[Any]) -> Any:
        """Await a call of the driver."""
        self.member.task = asyncio.current_task()
        return await loop_thread().run(self.shared.act(self.member, work))

    async def commit(self) -> None:
        await loop_thread().run(self.shared.commit(self.member))

    async def rollback(self) -> None:
        await loop_thread().run(self.shared.rollback(self.member))

    async def close(self, **_timeout: Any) -> None:
        await self.rollback()

    def terminate(self) -> None:
        loop_thread().start(self.shared.rollback(self.member))

    stop = terminate  # what aiosqlite calls it


class SQLiteParticipant(Participant):
    """aiosqlite reads rows by calls of their own; here a statement is over with one call."""

    def cursor(self) -> "BufferedCursor":
        return BufferedCursor(self)

    async def execute_fetchall(self, statement: str, parameters: Any = ()) -> Any:
        if statement.startswith(f"{QUERY_ONLY} ="):  # for one of those who share the connection
            self.member.only_reads = statement.endswith("1")
            return []
        return await self.act(self.raw.execute_fetchall(statement, parameters))


class BufferedCursor:
    """Stands for `aiosqlite.Cursor`; it holds all rows, so that no statement stays open."""

    arraysize = 1
    description: Any = None
    rowcount = -1
    lastrowid: int | None = None

    def __init__(self, participant: Participant) -> None:
        self.participant = participant
        self.rows: list[Any] = []

    async def __aenter__(self) -> "BufferedCursor":
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        await self.participant.act(self._run("execute", statement, parameters))

    async def executemany(self, statement: str, parameters: Any) -> None:
        await self.participant.act(self._run("executemany", statement, parameters))

    async def _run(self, method: str, statement: str, parameters: Any) -> None:
        async with self.participant.raw.cursor() as cursor:
            await getattr(cursor, method)(statement, parameters)
            self.rows = list(await cursor.fetchall())
            self.description, self.rowcount = cursor.description, cursor.rowcount
            self.lastrowid = cursor.lastrowid

    async def fetchmany(self, size: int = 1) -> list[Any]:
        taken, self.rows = self.rows[:size], self.rows[size:]
        return taken

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany()), None)

    async def fetchall(self) -> list[Any]:
        return await self.fetchmany(len(self.rows))

    async def close(self) -> None:
        self.rows = []


class PostgreSQLParticipant(Participant):
    """asyncpg has objects for transactions; what is outside of one commits by itself."""

    in_transaction = False

    async def act(self, work: Awaitable[Any]) -> Any:
        if self.in_transaction:
            return await super().act(work)
        try:
            result = await super().act(work)
        except BaseException:
            await self.rollback()
            raise
        await self.commit()
        return result

    def transaction(self, *, readonly: bool = False, **_options: Any) -> "Transaction":
        """Return one that begins with its first statement, whatever its isolation level."""
        self.member.only_reads = readonly
        return Transaction(self)


class Transaction:
    """Stands for `asyncpg.transaction.Transaction`."""

    def __init__(self, participant: PostgreSQLParticipant) -> None:
        self.participant = participant

    async def start(self) -> None:
        self.participant.in_transaction = True

    async def commit(self) -> None:
        self.participant.in_transaction = False
        await self.participant.commit()

    async def rollback(self) -> None:
        self.participant.in_transaction = False
        await self.participant.rollback()


PARTICIPANTS: dict[str, type[Participant]] = {
    "postgresql": PostgreSQLParticipant,
    "sqlite": SQLiteParticipant,
}
