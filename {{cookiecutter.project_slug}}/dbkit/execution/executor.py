"""Runs one upgrade, downgrade or stamp: takes the lock, retries, records each revision."""

import copy
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL
from dbkit.errors import error_text
from dbkit.execution import lock, sqlite
from dbkit.execution.blockers import watch_blockers
from dbkit.execution.context import configure, quiet, use_context
from dbkit.execution.errors import MigrationError, is_lock_error, one_line
from dbkit.execution.progress import Progress
from dbkit.execution.steps import StepFinder
from dbkit.execution.waiting import WaitBudget
from dbkit.history import create_table
from dbkit.request import Request
from dbkit.settings import get_settings
from dbkit.transactions import GuardedContext, TransactionGuard

log = logging.getLogger("alembic.migrator")
Result = TypeVar("Result")


class Executor:
    """Executes a request on one connection.

    Args:
        environment: Alembic's environment, which a revision sees as `alembic.context`.
        database: what `connection` of `run` leads to.
        keywords: those of `EnvironmentContext.configure`.
    """

    def __init__(
        self,
        environment: EnvironmentContext,
        database: DatabaseURL,
        request: Request,
        keywords: Mapping[str, Any],
    ) -> None:
        self.environment = environment
        self.database = database
        self.request = request
        self.keywords = keywords
        self.settings = get_settings()
        self.on_sqlite = database.dialect == "sqlite"
        self.finder = StepFinder(environment.script, request)
        self.budget = WaitBudget(self.settings.migration_wait)
        self.progress = Progress(database, self.budget)
        self.guard = TransactionGuard(self.progress.timer)
        self._heads: tuple[str, ...] | None = None  # of PostgreSQL, after the last commit

    async def run(self, connection: AsyncConnection) -> None:
        """Find the steps, take the lock, and apply one step after the other.

        Returns at once, without the lock, if nothing is pending.

        Raises:
            CommandError: one line; what was not committed is rolled back.
        """
        with quiet():
            await connection.run_sync(self.guard.listen)
            if self.on_sqlite:
                await self._run_on_sqlite(connection)
            else:
                await self._run_on_postgresql(connection)

    async def _run_on_postgresql(self, connection: AsyncConnection) -> None:
        steps = await self._find_steps(connection)
        if not self._is_pending(steps):
            return
        context = self.environment.get_context()
        session = await lock.prepare_session(connection, self.settings, context.version_table)
        if not await self._take_lock(connection, session):
            return
        steps = await self._find_steps(connection)
        await connection.run_sync(self._create_tables)
        await connection.commit()
        self._heads = () if self.request.purge else self.finder.heads
        # A purge is committed with what is stamped; every other step for itself.
        transactions = [steps] if self.request.purge else [[step] for step in steps]
        interval = self.settings.migration_lock_timeout / 5
        async with watch_blockers(self.progress.blockers, self.database, session.pid, interval):
            for steps in transactions:
                await self._retry(connection, partial(self._apply, steps=steps))

    async def _run_on_sqlite(self, connection: AsyncConnection) -> None:
        timeout = self.settings.migration_lock_timeout * 1000
        await connection.exec_driver_sql(f"PRAGMA busy_timeout = {timeout:.0f}")
        steps = await self._retry(connection, self._find_steps)
        if self._is_pending(steps):
            await connection.execution_options(writes=True)
            await self._retry(connection, self._apply)

    def _is_pending(self, steps: list[MigrationStep]) -> bool:
        if not (steps or self.request.purge or self.finder.is_ahead):
            heads = ", ".join(self.finder.heads) or "no revision"
            log.info("nothing to do: the database stands at %s", heads)
        return bool(steps or self.request.purge)

    async def _find_steps(self, connection: AsyncConnection) -> list[MigrationStep]:
        """Find what is pending. Reads only, and leaves no transaction open."""

        def find(connection: Connection) -> list[MigrationStep]:
            context = self._configure(connection, dont_mutate=True)
            with one_line(self.finder.script, heads=context.get_current_heads()):
                return self.finder.find(connection, context)

        steps = await connection.run_sync(find)
        await connection.rollback()
        return steps

    def _configure(self, connection: Connection, **options: Any) -> MigrationContext:
        options = {**self.keywords, **options, "connection": connection}
        return configure(self.environment, **options)

    async def _take_lock(self, connection: AsyncConnection, session: lock.Session) -> bool:
        """Wait for the lock; return False if another instance has meanwhile done the work."""
        tries = 0
        while not await lock.try_lock(connection, session):
            holder = await lock.lock_holder(connection, session)
            await self.budget.back_off(tries, f"waiting for {holder}", longest=1.0)
            tries += 1
            if not self._is_pending(await self._find_steps(connection)):
                return False
        return self._is_pending(await self._find_steps(connection))

    def _create_tables(self, connection: Connection) -> None:
        """Create the two tables in a transaction of their own.

        Alembic would create its own in the transaction of the first revision, which may be one
        that has to run in autocommit.
        """
        create_table(connection)
        if not self.finder.heads:
            context = self._configure(connection, dont_mutate=False)
            context.stamp(self.finder.script, "base")

    async def _retry(
        self, connection: AsyncConnection, work: Callable[[AsyncConnection], Awaitable[Result]]
    ) -> Result:
        """Repeat `work` as long as another session's lock makes it fail."""
        while True:
            self.progress.begin_attempt()
            try:
                return await work(connection)
            except BaseException as error:
                if self.on_sqlite:
                    await sqlite.roll_back(connection)
                elif not connection.invalidated:
                    await connection.rollback()
                if not (is_lock_error(error) and self.guard.repeatable):
                    text = error_text(error) if isinstance(error, DBAPIError) else str(error)
                    await self.progress.record_failed(text or "interrupted")
                    raise
                await self._back_off(error)

    async def _back_off(self, error: BaseException) -> None:
        """Wait before the next attempt, or give up."""
        step, tries = self.progress.step, self.progress.retries
        if step is None:
            reason = f"another process writes to {self.database.server}"
        else:
            blockers = self.progress.blockers.last
            undone = "" if self.guard.has_committed else " and was rolled back"
            reason = f"{step} waited for a lock{undone}{f': {blockers}' if blockers else ''}"
        self.progress.count_as_lock_wait()
        try:
            await self.budget.back_off(tries, reason, f"; try {tries + 2} follows")
        except MigrationError as given_up:
            remains = "what it has done" if self.guard.has_committed else "nothing of it"
            text = f"{given_up}; {remains} remains: run it again when the lock is free"
            self.progress.step = step
            await self.progress.record_failed(text)
            raise MigrationError(text) from error
        self.progress.retries += 1

    async def _apply(
        self, connection: AsyncConnection, steps: list[MigrationStep] | None = None
    ) -> None:
        """Apply `steps` in one transaction, or all that are found at its beginning."""
        heads = await connection.run_sync(self._run_steps, steps)
        await connection.commit()
        self.progress.after_commit()
        self._heads = None if self.on_sqlite else heads
        self.guard.has_committed = False

    def _run_steps(
        self, connection: Connection, steps: list[MigrationStep] | None
    ) -> tuple[str, ...]:
        """Let Alembic run the steps in a context that the guard watches; return the new heads."""
        heads = self._heads
        new_heads = heads or ()

        def begin_each(_heads: Any, _context: MigrationContext) -> Iterator[MigrationStep]:
            for step in steps or ():
                self.progress.begin_step(step)
                watched = copy.copy(step)
                watched.migration_fn = self.guard.watch(step.migration_fn)
                yield watched
                # Alembic asks for the next one when this one is committed, on SQLite when done.
                self.progress.end_step()

        def on_version_apply(step: MigrationInfo, heads: set[str], **_rest: Any) -> None:
            nonlocal new_heads
            new_heads = tuple(heads)
            self.progress.record_applied(connection, step)

        alembics = self._configure(connection)
        one_transaction = self.on_sqlite or self.request.purge
        context = GuardedContext(
            alembics,
            self.guard,
            heads=heads,
            fn=begin_each,
            dont_mutate=False,
            transaction_per_migration=not one_transaction,
            on_version_apply=(on_version_apply, *alembics.opts["on_version_apply"]),
        )
        use_context(self.environment, context)
        errors = one_line(
            self.finder.script,
            heads=self.finder.heads,
            file=lambda: self.progress.file,
            remains=self._remains,
        )
        with errors, Operations.context(context), context.begin_transaction():
            if self.on_sqlite:
                create_table(connection)
                steps = self.finder.find(connection, context)
                broken = sqlite.broken_references_before(connection)
            context.run_migrations()
            if self.on_sqlite:
                self.progress.before_final_commit()
                sqlite.check_references(connection, broken)
        return new_heads

    def _remains(self) -> str:
        """Say what stays in the database of a revision that failed."""
        if self.on_sqlite:
            return "nothing was changed"
        if not self.guard.repeatable:
            return "what its autocommit_block has done stays"
        if self.guard.has_committed:
            return "steps that were done stay, and the next attempt goes on from there"
        return "this revision changed nothing"
