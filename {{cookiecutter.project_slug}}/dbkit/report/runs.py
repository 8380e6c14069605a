"""Groups the rows of the history into runs: what one command did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row

from dbkit.history import FAILED

LEAST = 1.5  # per cent of the width: a bar that can be seen


@dataclass(frozen=True)
class Run:
    """One command on the database: its rows, the first one first."""

    rows: tuple[Row[Any], ...]

    @property
    def started_at(self) -> datetime:
        """When its first revision began."""
        return in_utc(self.rows[0])

    @property
    def has_failed(self) -> bool:
        """Whether one of its revisions failed."""
        return any(row.outcome == FAILED for row in self.rows)

    @property
    def duration(self) -> float:
        """Seconds of work, of the last attempt at each revision."""
        return float(sum(row.duration for row in self.rows))

    @property
    def lock_wait(self) -> float:
        """Seconds of waiting for locks."""
        return float(sum(row.lock_wait for row in self.rows))

    @property
    def locks_held(self) -> float:
        """Seconds of the longest transaction that held locks."""
        return float(max(row.locks_held for row in self.rows))

    @property
    def retries(self) -> int:
        """Retries after lock timeouts."""
        return sum(row.retries for row in self.rows)

    @property
    def title(self) -> str:
        """What it did, such as `upgrade of 3 revisions`."""
        directions = " and ".join(dict.fromkeys(str(row.direction) for row in self.rows))
        count = len(self.rows)
        return f"{directions} of {count} revisions" if count > 1 else directions


@dataclass(frozen=True)
class Mark:
    """A run on the time line; all in per cent."""

    run: Run
    left: float
    height: float
    waited: float


def group(rows: Sequence[Row[Any]]) -> list[Run]:
    """Return the runs, the newest first."""
    runs = [Run(tuple(found)) for _, found in groupby(rows, lambda row: row.run_id)]
    return runs[::-1]


def marks(runs: Sequence[Run]) -> list[Mark]:
    """Place runs on a line of time; their heights are as the roots of how long they took."""
    begin = min(run.started_at for run in runs).timestamp()
    span = max(run.started_at for run in runs).timestamp() - begin
    longest = max(run.duration + run.lock_wait for run in runs) or 1
    found = []
    for run in runs:
        total = run.duration + run.lock_wait
        left = (run.started_at.timestamp() - begin) / span * 100 if span else 50
        height = 12 + 88 * (total / longest) ** 0.5
        found.append(Mark(run, left, height, 100 * run.lock_wait / total if total else 0))
    return found


def share(seconds: float, runs: Sequence[Run]) -> float:
    """Return how much of the longest run's bar some seconds are, in per cent; nothing for none."""
    longest = max(run.duration + run.lock_wait for run in runs) or 1
    return max(LEAST, 100 * seconds / longest) if seconds else 0


def in_utc(row: Row[Any]) -> datetime:
    """Return when a row's revision began; SQLite keeps times without their zone, in UTC."""
    started_at: datetime = row.started_at
    return started_at if started_at.tzinfo else started_at.replace(tzinfo=UTC)
