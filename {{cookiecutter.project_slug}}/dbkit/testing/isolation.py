"""Hands the engine of the application what its connections are during a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from dbkit.testing.forwarding import Forwarder
from dbkit.testing.loop import loop_thread
from dbkit.testing.participants import PARTICIPANTS, Participant, connect, perform
from dbkit.testing.transaction import SharedConnection


@contextmanager
def isolated(engine: AsyncEngine, own_connections_to: str | None = None) -> Iterator[None]:
    """Let `engine` have one connection in the with-block, and roll back all that was done with it.

    That holds for everybody who uses the engine, on whatever event loop.

    Args:
        own_connections_to: gives each session a connection of its own instead, to another
            database of this name, on which a commit is final.
    """
    connections: _Shared | _Own = (
        _Shared(engine.dialect.name)
        if own_connections_to is None
        else _Own(engine.dialect.name, own_connections_to)
    )

    def use_them(_dialect: Any, _record: Any, _arguments: Any, keywords: dict[str, Any]) -> None:
        keywords["async_creator_fn"] = connections.create

    listeners: dict[str, Callable[..., Any]] = {
        "do_connect": use_them,
        "savepoint": _count_savepoint,
        "release_savepoint": _count_end_of_savepoint,
        "rollback_savepoint": _count_end_of_savepoint,
    }
    for name, listener in listeners.items():
        event.listen(engine.sync_engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(engine.sync_engine, name, listener)
        engine.sync_engine.dispose(close=False)  # they belong to this test
        loop_thread().run_blocking(connections.close())


def _count_savepoint(connection: Connection, _name: str | None) -> None:
    participant = connection.connection.driver_connection
    if isinstance(participant, Participant):
        participant.member.savepoints += 1


def _count_end_of_savepoint(connection: Connection, _name: str, _context: None) -> None:
    participant = connection.connection.driver_connection
    if isinstance(participant, Participant):
        participant.member.savepoints -= 1


class _Shared:
    """All connections are one, which is opened at the first use."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.shared: SharedConnection | None = None

    async def create(self, *arguments: Any, **keywords: Any) -> Any:
        """Return what SQLAlchemy takes for a connection of the driver."""
        if self.shared is None:
            opening = partial(connect, self.dialect, *arguments, **keywords)
            self.shared = SharedConnection(opening)
        raw = await loop_thread().run(self.shared.connection())
        kind = PARTICIPANTS[self.dialect]
        return kind(raw, self.shared)

    async def close(self) -> None:
        if self.shared is not None:
            await self.shared.close()


class _Own:
    """Each connection is one of its own, to another database."""

    def __init__(self, dialect: str, database: str) -> None:
        self.dialect = dialect
        self.database = database
        self.opened: list[Any] = []

    async def create(self, *arguments: Any, **keywords: Any) -> Any:
        if self.dialect == "postgresql":
            keywords["database"] = self.database
        else:
            arguments = (self.database, *arguments[1:])
        raw = await loop_thread().run(connect(self.dialect, *arguments, **keywords))
        self.opened.append(raw)
        return Forwarder(raw, perform)

    async def close(self) -> None:
        for raw in self.opened:
            await raw.close()
