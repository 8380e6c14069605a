"""`make migration-log`: the history of this database, for people and for machines."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from dbkit.connection.failures import one_line
from dbkit.connection.server import connect
from dbkit.connection.url import migration_database
from dbkit.history import table as history

HEADINGS = (
    *("started (UTC)", "direction", "revision", "seconds", "waited", "locks held", "retries"),
    *("outcome", "by", "app", "error"),
)


async def show(*, as_json: bool) -> str:
    """All rows, the oldest first: a table, or a JSON list of objects.

    Raises:
        DatabaseUnavailable: no connection.
    """
    database = migration_database()
    with one_line(database):
        async with connect(database) as connection:
            rows = await connection.run_sync(history.read)
    if as_json:
        return json.dumps([row._asdict() for row in rows], default=_json, indent=2)
    if not rows:
        return "nothing ran here since the history began"
    return _table([HEADINGS, *map(_cells, rows)])


def _json(value: Any) -> str:
    """Identifiers as text; times, which SQLite keeps without their zone, with UTC."""
    return value.replace(tzinfo=UTC).isoformat() if isinstance(value, datetime) else str(value)


def _cells(row: Row[Any]) -> tuple[str, ...]:
    return (
        f"{row.started_at:%Y-%m-%d %H:%M:%S}",
        row.direction,
        row.revision,
        f"{row.duration:.2f}",
        f"{row.lock_wait:.2f}",
        f"{row.locks_held:.2f}",
        str(row.retries),
        row.outcome,
        f"{row.executed_by}@{row.host}",
        row.app_version,
        row.error or "",
    )


def _table(lines: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
