"""Shows the history of a database, as a table or as JSON."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

HEADINGS = (
    *("started (UTC)", "direction", "revision", "seconds", "waited", "locks held", "retries"),
    *("outcome", "by", "app", "error"),
)


def as_json(rows: Sequence[Row[Any]]) -> str:
    """Return a JSON list of objects, one for each row, whose keys are the columns."""
    return json.dumps([row._asdict() for row in rows], default=_json, indent=2)


def as_table(rows: Sequence[Row[Any]]) -> str:
    """Return lines of aligned columns for people."""
    if not rows:
        return "nothing ran here since the history began"
    lines = [HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _json(value: Any) -> str:
    """Write identifiers as text, and times, which SQLite keeps without their zone, in UTC."""
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
