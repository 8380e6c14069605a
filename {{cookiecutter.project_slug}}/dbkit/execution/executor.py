"""Runs one upgrade, downgrade or stamp: takes the lock, retries, records each revision."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Connection, table
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL
from dbkit.execution.attempt import Attempt
from dbkit.execution.context import configure, create_version_table, quiet
from dbkit.execution.progress import Progress
from dbkit.execution.retry import Retry
from dbkit.execution.snapshots import SnapshotTaker
from dbkit.execution.steps import StepFinder
from dbkit.history import TABLE as HISTORY
from dbkit.history import Scope, create_table
from dbkit.locking import (
    MigrationSession,
    WaitBudget,
    limit_wait,
    lock_holder,
    lock_key,
    migration_session,
    try_lock,
    watch_blockers,
)
from dbkit.request import Request
from dbkit.revisions import one_line
from dbkit.settings import get_settings
from dbkit.transactions import GuardedContext

log = logging.getLogger("alembic.migrator")


class Executor:
    """Executes a request on one connection.

    Args:
        environment: Alembic's environment, which a revision sees as `alembic.context`.
        database: what the connection leads to.
        keywords: those of `EnvironmentContext.configure`.
        budget: what is left to wait, if a part of it is spent already.
        scope: what the history keeps of the schema before and after; nothing of a throwaway.
    """

    def __init__(
        self,
        environment: EnvironmentContext,
        database: DatabaseURL,
        request: Request,
        keywords: Mapping[str, Any],
        budget: WaitBudget | None = None,
        scope: Scope | None = None,
    ) -> None:
        self.environment = environment
        self.database = database
        self.keywords = keywords
        self.settings = get_settings()
        self.budget = budget or WaitBudget(self.settings.migration_wait)
        self.finder = StepFinder(environment.script, request, database)
        self.progress = Progress(database, self.budget)
        self.snapshots = SnapshotTaker(scope, self.progress.author.run_id)
        self.attempt = Attempt(self.finder, self.progress, self.snapshots)
        self.retry = Retry(self.progress, self.attempt.guard)
        self._has_committed = False  # a step of this run

    async def run(self, connection: AsyncConnection) -> None:
        """Find the steps, take the lock, and apply one step after the other.

        Returns at once, without the lock, if nothing is pending.

        Raises:
            CommandError: one line; what was not committed is rolled back.
        """
        with quiet():
            await connection.run_sync(self.attempt.guard.listen)
            if self.database.dialect == "sqlite":
                await self._run_on_sqlite(connection)
            else:
                await self._run_on_postgresql(connection)

    async def _run_on_postgresql(self, connection: AsyncConnection) -> None:
        steps = await self._find_steps(connection)
        if not self._is_pending(steps):
            return
        alembics = self.environment.get_context()
        version_table = table(alembics.version_table, schema=alembics.version_table_schema)
        preparer = connection.dialect.identifier_preparer
        tables = (preparer.format_table(version_table), HISTORY)
        async with migration_session(connection, self.database, self.settings, tables) as session:
            key = lock_key(session.database, alembics.version_table)
            await self._run_in_session(connection, session, key)

    async def _run_in_session(
        self, connection: AsyncConnection, session: MigrationSession, key: int
    ) -> None:
        self.attempt.restore_session = session.restore
        steps = await self._take_lock(connection, key)
        if not self._is_pending(steps):
            return
        await connection.run_sync(self._create_tables)
        await connection.commit()
        await connection.run_sync(self.snapshots.before)
        heads = () if self.finder.purge else self.finder.heads
        context = await connection.run_sync(
            lambda sync: self.attempt.make_context(sync, self._configure(sync), heads)
        )
        # A purge is committed with what is stamped; every other step for itself.
        transactions = [steps] if self.finder.purge else [[step] for step in steps]
        interval = self.settings.migration_lock_timeout / 5
        blockers = self.progress.blockers
        try:
            async with watch_blockers(blockers, self.database, session.pid, interval):
                with self.progress.metered(steps):
                    for each in transactions:
                        apply = partial(self._apply, context, each, heads)
                        heads = await self.retry(connection, apply)
        except Exception:
            if self._has_committed or self.attempt.guard.may_have_committed:
                await self._keep_snapshot(connection)
            raise
        await self._keep_snapshot(connection)

    async def _keep_snapshot(self, connection: AsyncConnection) -> None:
        """Keep what the run leaves, in a transaction that holds no lock of a revision."""
        if not connection.invalidated:
            await connection.run_sync(self.snapshots.after)

    async def _run_on_sqlite(self, connection: AsyncConnection) -> None:
        timeout = self.settings.migration_lock_timeout * 1000
        await connection.exec_driver_sql(f"PRAGMA busy_timeout = {timeout:.0f}")
        steps = await self._find_steps(connection)
        if self._is_pending(steps):
            await connection.execution_options(writes=True)
            with self.progress.metered(steps):
                await self.retry(connection, self._apply_all)

    def _is_pending(self, steps: list[MigrationStep]) -> bool:
        if steps or self.finder.purge:
            return True
        if not self.finder.is_ahead:
            heads = ", ".join(self.finder.heads) or "no revision"
            log.info("nothing to do: the database stands at %s", heads)
        return False

    async def _find_steps(self, connection: AsyncConnection) -> list[MigrationStep]:
        """Find what is pending, or wait for who has locked a table of the migrations."""
        return await self.retry(connection, self._read_steps)

    async def _read_steps(self, connection: AsyncConnection) -> list[MigrationStep]:
        """Find what is pending. Reads only, and leaves no transaction open."""

        def find(connection: Connection) -> list[MigrationStep]:
            limit_wait(connection, self.settings.migration_lock_timeout)
            context = self._configure(connection, dont_mutate=True)
            heads = context.get_current_heads()
            with one_line(self.finder.script, heads=heads):
                return self.finder.find(connection, context)

        steps = await connection.run_sync(find)
        await connection.rollback()
        return steps

    def _configure(self, connection: Connection, **options: Any) -> MigrationContext:
        options = {**self.keywords, **options, "connection": connection}
        return configure(self.environment, **options)

    async def _take_lock(self, connection: AsyncConnection, key: int) -> list[MigrationStep]:
        """Wait for the lock; return what is then pending.

        Nothing is, and the lock not taken, if another instance has meanwhile done the work.
        """
        tries = 0
        while not await try_lock(connection, key):
            holder = await lock_holder(connection, key)
            await self.budget.back_off(tries, f"waiting for {holder}", longest=1.0)
            tries += 1
            if not (await self._find_steps(connection) or self.finder.purge):
                return []
        return await self._find_steps(connection)

    def _create_tables(self, connection: Connection) -> None:
        """Create the two tables in a transaction of their own.

        Alembic would create its own in the transaction of the first revision, which may be one
        that has to run in autocommit.
        """
        create_table(connection)
        if not self.finder.heads:
            context = self._configure(connection, dont_mutate=False)
            create_version_table(context, self.finder.script)

    async def _apply(
        self,
        context: GuardedContext,
        steps: list[MigrationStep],
        heads: tuple[str, ...],
        connection: AsyncConnection,
    ) -> tuple[str, ...]:
        """Apply `steps` on PostgreSQL, and return where the database then stands."""
        heads = await connection.run_sync(lambda _: self.attempt.run_each(context, steps, heads))
        await self._commit(connection)
        return heads

    async def _apply_all(self, connection: AsyncConnection) -> None:
        """Apply what is pending on SQLite."""
        await connection.run_sync(lambda sync: self.attempt.run_all(sync, self._configure(sync)))
        await self._commit(connection)

    async def _commit(self, connection: AsyncConnection) -> None:
        await connection.commit()
        self._has_committed = True
        self.progress.after_commit()
        self.attempt.guard.has_committed = False
