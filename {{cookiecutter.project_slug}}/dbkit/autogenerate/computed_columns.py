"""Keeps Alembic from comparing computed columns, whose change it cannot express.

A plug-in of Alembic's, which would compare SQL texts and warn. Two pictures tell the difference,
and the proof of a revision names what it leaves different.
https://alembic.sqlalchemy.org/en/latest/api/plugins.html
"""

from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Column

NAME = "dbkit.computed_columns"


def compare(
    _context: AutogenContext,
    _alter: Any,
    _schema: str | None,
    _table: str,
    _name: str,
    found: Column[Any],
    wanted: Column[Any],
) -> PriorityDispatchResult:
    """End the comparison of a column that is computed on one side."""
    if found.computed is None and wanted.computed is None:
        return PriorityDispatchResult.CONTINUE
    return PriorityDispatchResult.STOP


Plugin(NAME).add_autogenerate_comparator(
    compare, "column", "server_default", priority=DispatchPriority.FIRST
)
