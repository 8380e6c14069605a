"""Measures the step that is being executed, and writes its row of the history."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from alembic.runtime.migration import MigrationInfo, MigrationStep, RevisionStep, StampStep
from sqlalchemy import Connection

from dbkit.connection import DatabaseURL
from dbkit.history import Author, Measurements, record_applied, record_failed
from dbkit.locking import Blockers, WaitBudget
from dbkit.meter import Meter
from dbkit.settings import get_settings
from dbkit.transactions import TransactionTimer

log = logging.getLogger("alembic.migrator")
LONG = 5  # seconds after which a step is announced before its end


class Progress:
    """The step that is being executed, if any, and what was measured of it."""

    def __init__(self, database: DatabaseURL, budget: WaitBudget) -> None:
        self.database = database
        self.budget = budget
        self.blockers = Blockers()
        self.timer = TransactionTimer()
        self.author = Author(get_settings().environment)
        self.step: MigrationStep | None = None
        self.retries = 0
        self.meter: Meter | None = None
        self._last: MigrationStep | None = None
        self._begun = monotonic()
        self._waited_before = 0.0
        self._finished: list[str] = []
        self._notice: asyncio.TimerHandle | None = None

    @contextmanager
    def metered(self, steps: Sequence[MigrationStep]) -> Iterator[None]:
        """Show how far the run is that applies `steps`."""
        title = f"revisions on {self.database.name_to_type}"
        with Meter(title, len(steps)) as self.meter:
            yield

    @property
    def file(self) -> Path | None:
        """The file of the revision that is being executed; a stamp has none."""
        return Path(self.step.revision.path) if isinstance(self.step, RevisionStep) else None

    @property
    def applied_revision(self) -> str | None:
        """The revision that is being applied; None for a downgrade or a stamp."""
        if isinstance(self.step, RevisionStep) and self.step.is_upgrade:
            return self.step.revision.revision
        return None

    def begin_attempt(self) -> None:
        """Start measuring an attempt: on SQLite of all steps, otherwise of one."""
        self._announce(None)
        self.step = None
        if self.meter is not None:
            for _ in self._finished:  # none of them is done any more
                self.meter.retreat()
        self._finished.clear()
        self.timer.restart()

    def begin_step(self, step: MigrationStep) -> None:
        """Start measuring `step`."""
        self.step = step
        self._begun = monotonic()
        self._announce(f"Running {step}")
        self.blockers.clear()
        if self.database.dialect == "postgresql":  # where a transaction is a step's own
            self.timer.restart()

    def _announce(self, line: str | None) -> None:
        """Log what is being executed if it takes long: the log of a killed process then tells."""
        if self._notice is not None:
            self._notice.cancel()
        loop = asyncio.get_running_loop()
        self._notice = loop.call_later(LONG, log.info, line) if line else None

    def end_step(self) -> None:
        """Note that the step is done, and on PostgreSQL committed."""
        self._announce(None)
        step = str(self.step).replace("stamp_revision", "stamp")
        self._finished.append(f"Ran {step} ({monotonic() - self._begun:.2f} s)")
        if self.meter is not None:
            self.meter.advance()
        self._last = self.step
        self.step, self.retries, self._waited_before = None, 0, self.budget.waited

    def before_final_commit(self) -> None:
        """Blame the last step for what fails from now on: all are done, and none is committed."""
        self.step = self._last

    def after_commit(self) -> None:
        """Log a line for each step that is now committed."""
        self.step = None
        for line in self._finished:
            log.info(line)
        self._finished.clear()

    def count_as_lock_wait(self) -> None:
        """Count the whole last transaction as time spent waiting for a lock."""
        self._announce(None)  # nothing runs until the next attempt
        self.budget.spend(self.timer.current)
        self.blockers.clear()

    @property
    def measurements(self) -> Measurements:
        """What was measured of the step so far."""
        waited = self.budget.waited - self._waited_before + self.blockers.waited
        return Measurements(
            duration=round(monotonic() - self._begun, 6),
            lock_wait=round(waited, 6),
            locks_held=round(self.timer.longest, 6),
            retries=self.retries,
        )

    def record_applied(self, connection: Connection, info: MigrationInfo) -> None:
        """Write that the step succeeded, in its own transaction."""
        record_applied(connection, info, self.measurements, self.author)

    async def record_failed(self, error: str) -> None:
        """Write that the step failed, on a connection of its own."""
        self._announce(None)
        if isinstance(self.step, RevisionStep | StampStep):
            info, measured = self.step.info, self.measurements
            await record_failed(self.database, info, measured, self.author, error)
