"""Sums the history up, for metrics: what ran, how it ended, and the newest row."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, func, select

from dbkit.history.storage import find_columns
from dbkit.history.table import history

MEASURED = ("duration", "lock_wait", "locks_held")


@dataclass(frozen=True)
class Summary:
    """The history in numbers.

    Args:
        counts: rows by direction and outcome.
        retries: of all rows.
        newest: of the newest row, seconds by the name of the column; `started_at` since 1970.
    """

    counts: dict[tuple[str, str], int]
    retries: int
    newest: dict[str, float]


def summarize(connection: Connection) -> Summary:
    """Read two small answers, however long the history is; nothing is there without a table."""
    if not find_columns(connection):
        return Summary({}, 0, {})
    columns = history.c
    groups = connection.execute(
        select(
            columns.direction, columns.outcome, func.count(), func.sum(columns.retries)
        ).group_by(columns.direction, columns.outcome)
    ).all()
    newest: dict[str, Any] = {}
    query = select(columns.started_at, *(columns[name] for name in MEASURED))
    for row in connection.execute(query.order_by(columns.id.desc()).limit(1)):
        newest = dict(row._mapping)
        started_at = newest["started_at"].replace(tzinfo=UTC)  # SQLite keeps it without its zone
        newest["started_at"] = started_at.timestamp()
    counts = {(direction, outcome): count for direction, outcome, count, _ in groups}
    return Summary(counts, sum(retries for *_, retries in groups), newest)
