"""One `upgrade`, `downgrade` or `stamp`: alone, patient, and told to the history."""

import copy
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection.url import DatabaseURL
from app.migrator import blockers, history, lock, sqlite
from dbkit.execution.failures import Explained, explained, is_lock_trouble
from dbkit.transactions.guard import Kinds
from dbkit.execution.waiting import Patience
from dbkit.execution.steps import Plan, Steps, quietly
from dbkit.errors import said
from dbkit.history.recorder import Recorder
from dbkit.settings import get_settings

Result = TypeVar("Result")


class Run:
    """Runs what there is to run on one connection; the arguments are those of `Plan`."""

    def __init__(
        self,
        database: DatabaseURL,
        configure: Callable[..., None],
        find: Steps,
        destination: Any = "heads",
        *,
        purge: bool = False,
    ) -> None:
        self.database = database
        self.plan = Plan(configure, find, destination, purge=purge)
        self.settings = get_settings()
        self.patience = Patience(self.settings.migration_wait)
        self.blockers = blockers.Blockers()
        self.recorder = Recorder(database, self.patience, self.blockers)
        self.kinds = Kinds(self.recorder.transactions)

    async def __call__(self, connection: AsyncConnection) -> None:
        """Do it. At head already, nobody waits for anybody.

        Raises:
            CommandError: one line; what was not committed is rolled back.
        """
        if self.database.dialect == "sqlite":
            timeout = self.settings.migration_lock_timeout * 1000
            await connection.exec_driver_sql(f"PRAGMA busy_timeout = {timeout:.0f}")
            if not await self._patiently(connection, self.plan.is_empty):
                await connection.execution_options(writes=True)
                await self._patiently(connection, self._attempt)
        elif not await self.plan.is_empty(connection):
            await self._on_postgresql(connection)

    async def _on_postgresql(self, connection: AsyncConnection) -> None:
        table = context.get_context().version_table
        session = await lock.prepare(connection, self.settings, table)
        if not await self._take_lock(connection, session):
            return
        await connection.run_sync(history.create)
        if self.plan.begins_with_a_commit():
            await connection.run_sync(self._create_version_table)
        await connection.commit()
        interval = self.settings.migration_lock_timeout / 5
        async with blockers.watched(self.blockers, self.database, session.pid, interval):
            await self._patiently(connection, self._attempt)

    @staticmethod
    def _create_version_table(_connection: Connection) -> None:
        """Alembic would in the transaction of a revision that wants to begin without one."""
        context.get_context()._ensure_version_table()

    async def _take_lock(self, connection: AsyncConnection, session: lock.Session) -> bool:
        """Wait for the lock; False if another instance has meanwhile done what was to do."""
        tries = 0
        while not await lock.try_lock(connection, session):
            who = await lock.holder(connection, session)
            await self.patience.pause(tries, f"waiting for {who}", longest=1.0)
            tries += 1
            if await self.plan.is_empty(connection, quiet=True):
                return False
        return not await self.plan.is_empty(connection, quiet=True)

    async def _patiently(
        self, connection: AsyncConnection, work: Callable[[AsyncConnection], Awaitable[Result]]
    ) -> Result:
        """Try until no lock of others is in the way."""
        while True:
            self.recorder.transactions.clear()
            try:
                return await work(connection)
            except BaseException as error:
                if self.database.dialect == "sqlite":
                    await sqlite.end_transaction(connection)
                elif not connection.invalidated:
                    await connection.rollback()
                if not (is_lock_trouble(error) and self.kinds.repeatable):
                    words = said(error) if isinstance(error, DBAPIError) else str(error)
                    await self.recorder.failed(words or "interrupted")
                    raise
                await self._pause(error)

    async def _pause(self, error: BaseException) -> None:
        """Wait before the next attempt, or give up."""
        if self.recorder.step is None:
            reason = f"another process writes to {self.database.server}"
        else:
            who = f": {self.blockers.last}" if self.blockers.last else ""
            undone = "" if self.kinds.remains else " and was rolled back"
            reason = f"{self.recorder.step} waited for a lock{undone}{who}"
        tries = self.recorder.retries
        self.recorder.in_vain()
        try:
            await self.patience.pause(tries, reason, f"; try {tries + 2} follows")
        except Explained as given_up:
            remains = "what it has done" if self.kinds.remains else "nothing of it"
            text = f"{given_up}; {remains} remains: run it again when the lock is free"
            await self.recorder.failed(text)
            raise Explained(text) from error
        self.recorder.retries += 1

    async def _attempt(self, connection: AsyncConnection) -> None:
        await connection.run_sync(self._run_steps)
        await connection.commit()

    def _run_steps(self, connection: Connection) -> None:
        on_sqlite = self.database.dialect == "sqlite"
        self.kinds = Kinds(self.recorder.transactions, remains=self.kinds.remains)
        with quietly():
            self.plan.configure(
                connection=connection,
                dont_mutate=False,
                fn=self._next_steps,
                kinds=self.kinds,
                on_version_apply=lambda **_said: self.recorder.done(connection),
            )
        self.kinds.install(context.get_context())
        if self.plan.purge and not on_sqlite:  # with what is stamped, or not at all
            connection.begin()
        with explained(context, lambda: self.recorder.file), context.begin_transaction():
            if on_sqlite:  # nothing of another attempt is left
                self.recorder.step = None
                history.create(connection)
                self.plan.make(connection)
                broken = sqlite.broken_before(connection)
            context.run_migrations()
            if on_sqlite:
                self.recorder.check_run()
                sqlite.check_foreign_keys(connection, broken)

    def _next_steps(self, _heads: Any, migration: MigrationContext) -> Iterator[MigrationStep]:
        if self.plan.purge:
            self.plan.steps = list(self.plan.find((), migration))
        while self.plan.steps:
            planned = self.plan.steps[0]
            self.recorder.begin(planned)
            step = copy.copy(planned)
            step.migration_fn = self.kinds.watched(planned.migration_fn)
            yield step
            # Alembic asks for the next one when this one is committed, on SQLite when it is done.
            self.plan.steps.pop(0)
            self.recorder.end()
            self.kinds.remains = False
