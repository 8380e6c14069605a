"""Leaves computed and identity columns to what two pictures say.

A plug-in of Alembic's, whose comparison of SQL texts warns of computed columns, and whose change of
an identity column fails. Pictures tell what differs, and SQL is written for it (`mends`); a
computed column whose expression differs is dropped and added (`computed_replacements`).
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
    """End the comparison of a column that is computed, or an identity, on one side."""
    sides = (found, wanted)
    if any(side.computed is not None or side.identity is not None for side in sides):
        return PriorityDispatchResult.STOP
    return PriorityDispatchResult.CONTINUE


Plugin(NAME).add_autogenerate_comparator(
    compare, "column", "server_default", priority=DispatchPriority.FIRST
)
