"""Repeats an attempt as long as another session's lock makes it fail."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.errors import error_text
from dbkit.execution import sqlite
from dbkit.execution.progress import Progress
from dbkit.locking import find_locker
from dbkit.revisions import MigrationError, is_lock_error
from dbkit.transactions import TransactionGuard

Result = TypeVar("Result")


class Retry:
    """Called with work, which it repeats; it rolls back what a failed attempt has left."""

    def __init__(self, progress: Progress, guard: TransactionGuard) -> None:
        self.progress = progress
        self.guard = guard
        self.database = progress.database

    async def __call__(
        self, connection: AsyncConnection, work: Callable[[AsyncConnection], Awaitable[Result]]
    ) -> Result:
        """Return what `work` returns.

        Raises:
            MigrationError: locks were in the way until `MIGRATION_WAIT` was used up.
        """
        while True:
            self.progress.begin_attempt()
            try:
                return await work(connection)
            except BaseException as error:
                if self.database.dialect == "sqlite":
                    await sqlite.roll_back(connection)
                elif not connection.invalidated:
                    await connection.rollback()
                if not (is_lock_error(error) and self.guard.repeatable):
                    await self.progress.record_failed(_text_of(error))
                    raise
                await self._back_off(error, connection)

    async def _back_off(self, error: BaseException, connection: AsyncConnection) -> None:
        """Wait before the next attempt, or give up."""
        progress, remains = self.progress, self.guard.has_committed
        if progress.step is None and self.database.dialect == "sqlite":
            reason = f"another process writes to {self.database.server}"
        elif progress.step is None:
            reason = f"a table of the migrations is locked{await connection.run_sync(find_locker)}"
            await connection.rollback()
        else:
            undone = "" if remains else " and was rolled back"
            blockers = f": {progress.blockers.last}" if progress.blockers.last else ""
            reason = f"{progress.step} waited for a lock{undone}{blockers}"
        progress.count_as_lock_wait()
        tries = progress.retries
        try:
            await progress.budget.back_off(tries, reason, f"; try {tries + 2} follows")
        except MigrationError as given_up:
            what = "what it has done" if remains else "nothing of it"
            text = f"{given_up}; {what} remains: run it again when the lock is free"
            await progress.record_failed(text)
            raise MigrationError(text) from error
        progress.retries += 1


def _text_of(error: BaseException) -> str:
    """Return the line of a failure; one that is no `Exception` was told to end."""
    if isinstance(error, CommandError):
        return str(error)
    return error_text(error) if isinstance(error, Exception) else "interrupted"
