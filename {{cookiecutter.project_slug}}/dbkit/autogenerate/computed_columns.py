"""Leaves computed and identity columns to what two pictures say.

A plug-in of Alembic's, whose comparison of SQL texts warns of computed columns, and whose change of
an identity column fails. Pictures tell what differs, and SQL is written for it (`mends`); a
computed column whose expression differs is dropped and added, which loses nothing.
https://alembic.sqlalchemy.org/en/latest/api/plugins.html
"""

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Column, Computed

from dbkit.autogenerate.two_pictures import TwoPictures

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


def replacements(pictures: TwoPictures) -> Iterator[ops.ModifyTableOps]:
    """Yield, for each column that is computed in another way, operations that drop and add it."""
    for difference in pictures.differences():
        old, new = difference.first, difference.second
        if old is None or new is None or "computed" not in difference.facets:
            continue
        before, after = old.definition.get("computed"), new.definition.get("computed")
        table = pictures.scope.table_of(new)
        if before is None or after is None or table is None:
            continue
        column = table.c[pictures.scope.key_of(new)[-1].removeprefix(f"{table.name}.")]
        expression, _, kind = before.rpartition(" ")
        if pictures.dialect.name == "sqlite":  # which keeps the parentheses around it
            expression = expression[1:-1]
        reflected: Column[Any] = Column(
            column.name,
            column.type,
            Computed(expression, persisted=kind == "STORED"),
            nullable=column.nullable,
        )
        schema, name = table.schema, table.name
        drop = ops.DropColumnOp.from_column_and_tablename(schema, name, reflected)
        add = ops.AddColumnOp.from_column_and_tablename(schema, name, column)
        yield ops.ModifyTableOps(name, [drop, add], schema=schema)


Plugin(NAME).add_autogenerate_comparator(
    compare, "column", "server_default", priority=DispatchPriority.FIRST
)
