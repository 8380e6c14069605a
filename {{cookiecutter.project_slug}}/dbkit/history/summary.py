"""Sums the history up, for metrics: what ran, how it ended, and the last run."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, case, func, select

from dbkit.history.storage import find_columns
from dbkit.history.table import FAILED, history


@dataclass(frozen=True)
class Summary:
    """The history in numbers.

    Args:
        counts: rows by direction and outcome.
        retries: of all rows.
        last_run: all rows of the newest run together, by the name of the column: seconds;
            `started_at` since 1970; `failed`, the number of rows.
    """

    counts: dict[tuple[str, str], int]
    retries: int
    last_run: dict[str, float]


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
    counts = {(direction, outcome): count for direction, outcome, count, _ in groups}
    return Summary(counts, sum(retries for *_, retries in groups), _last_run(connection))


def _last_run(connection: Connection) -> dict[str, float]:
    columns = history.c
    newest = select(columns.run_id).order_by(columns.id.desc()).limit(1).scalar_subquery()
    query = select(
        func.min(columns.started_at).label("started_at"),
        func.sum(columns.duration).label("duration"),
        func.sum(columns.lock_wait).label("lock_wait"),
        func.max(columns.locks_held).label("locks_held"),
        func.sum(case((columns.outcome == FAILED, 1), else_=0)).label("failed"),
    )
    run: dict[str, Any] = dict(
        connection.execute(query.where(columns.run_id == newest)).one()._mapping
    )
    if run["started_at"] is None:  # no row yet
        return {}
    # SQLite keeps it without its zone.
    return run | {"started_at": run["started_at"].replace(tzinfo=UTC).timestamp()}
