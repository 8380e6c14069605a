"""What one run of revisions writes into the history."""

import asyncio
import logging
from pathlib import Path
from time import monotonic

from alembic.runtime.migration import MigrationStep, RevisionStep
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from dbkit.connection.server import connect
from dbkit.connection.url import DatabaseURL
from dbkit.history import table as history
from dbkit.execution.blockers import Blockers
from dbkit.execution.waiting import Patience
from dbkit.execution.transactions import Transactions
from dbkit.settings import get_settings

log = logging.getLogger(__name__)


class Recorder:
    """Measures the step that is on its way, and tells the history how it ended."""

    def __init__(self, database: DatabaseURL, patience: Patience, blockers: Blockers) -> None:
        self.database = database
        self.patience = patience
        self.blockers = blockers
        self.author = history.Author(get_settings().environment)
        self.step: MigrationStep | None = None
        self._last: MigrationStep | None = None
        self.retries = 0
        self._waited_before = 0.0
        self._begun = monotonic()
        self.transactions = Transactions()

    @property
    def file(self) -> Path | None:
        """The file of the revision that is on its way; a stamp has none."""
        return Path(self.step.revision.path) if isinstance(self.step, RevisionStep) else None

    def begin(self, step: MigrationStep) -> None:
        """An attempt to run `step` begins."""
        self.step = step
        self._begun = monotonic()
        self.blockers.clear()
        if self.database.dialect == "postgresql":
            self.transactions.clear()

    def end(self) -> None:
        """The step is committed, or on SQLite done."""
        self._last = self.step
        self.step, self.retries, self._waited_before = None, 0, self.patience.waited

    def check_run(self) -> None:
        """All steps are done but not committed: what fails now is told of the last one."""
        self.step = self._last

    def in_vain(self) -> None:
        """The attempt was: all of its last transaction was spent waiting."""
        self.patience.spend(self.transactions.current)
        self.blockers.clear()

    def _entry(self, step: MigrationStep) -> history.Entry:
        now, waited = monotonic(), self.patience.waited - self._waited_before
        return history.Entry(
            step,
            duration=round(now - self._begun, 6),
            lock_wait=round(waited + self.blockers.waited, 6),
            locks_held=round(self.transactions.longest, 6),
            retries=self.retries,
        )

    def done(self, connection: Connection) -> None:
        """Write the success of the step, in its own transaction."""
        if self.step is not None:
            row = self.author.row | self._entry(self.step).row(history.DONE)
            history.write(connection, row)

    async def failed(self, error: str) -> None:
        """Write a failure; on another connection, since the first may be what failed."""
        if self.step is None:
            return
        row = self.author.row | self._entry(self.step).row(history.FAILED, error)

        def tell(connection: Connection) -> None:
            history.create(connection)
            history.write(connection, row)

        try:
            async with asyncio.timeout(5), connect(self.database) as connection:
                await connection.run_sync(tell)
        except (SQLAlchemyError, OSError) as unreachable:
            log.warning("the history was not told: %s", type(unreachable).__name__)
