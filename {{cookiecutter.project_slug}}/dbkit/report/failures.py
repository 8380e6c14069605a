"""Revisions that failed, each with what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dbkit.history import DONE, FAILED


@dataclass(frozen=True)
class Failure:
    """A failed attempt at a revision; `later` is the row of its success, if there was one."""

    row: Row[Any]
    later: Row[Any] | None


def find_failures(rows: Sequence[Row[Any]]) -> list[Failure]:
    """Return the failures of a history, the newest first."""
    found: list[Failure] = []
    done: dict[tuple[str, str], Row[Any]] = {}
    for row in reversed(rows):
        key = (row.revision, row.direction)
        if row.outcome == DONE:
            done[key] = row
        elif row.outcome == FAILED:
            found.append(Failure(row, done.get(key)))
    return found
