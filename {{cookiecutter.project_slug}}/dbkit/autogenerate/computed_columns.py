"""Leaves computed and identity columns to what two pictures say.

A plug-in of Alembic's, whose comparison of SQL texts warns of computed columns, and whose change of
an identity column fails. Pictures tell what differs, and SQL is written for it (`mends`); a
computed column whose expression differs is dropped and added.
https://alembic.sqlalchemy.org/en/latest/api/plugins.html
"""

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Column, Computed, text
from sqlalchemy.types import TypeEngine

from dbkit.autogenerate.statements import Statement, escaped
from dbkit.autogenerate.table_changes import changes_of, column_of, take_old_type
from dbkit.autogenerate.two_pictures import TwoPictures
from dbkit.schema import Facets, SchemaObject

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


def replace_computed(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Drop and add each column of PostgreSQL that is computed in another way.

    What is computed can be computed again. A column that is computed no more keeps its values.
    """
    for old, column in replaced_columns(pictures):
        before = str(old.definition.get("computed", ""))
        if before.endswith("STORED") and column.computed is None:
            changes_of(upgrade, column.table).ops.append(_kept(old))
        else:
            replace_column(upgrade, column, old.definition)


def replaced_columns(pictures: TwoPictures) -> Iterator[tuple[SchemaObject, Column[Any]]]:
    """Yield each column that is computed in another way, as it was found, and as models have it."""
    for difference in pictures.differences():
        old, new = difference.first, difference.second
        if old is None or new is None or "computed" not in difference.facets:
            continue
        column = column_of(new, pictures.scope)
        if column is not None:
            yield old, column


def replace_column(
    upgrade: ops.UpgradeOps, column: Column[Any], found: Facets, *, is_sqlite: bool = False
) -> None:
    """Drop a column and add it as the models have it, in place of what would alter it.

    The old one goes before the columns that it uses, and the new one comes after those that it
    uses.

    Args:
        found: what the database says of it.
    """
    table = column.table
    changes = changes_of(upgrade, table)
    old = reflected(column, found, take_old_type(changes, column), is_sqlite=is_sqlite)
    drop = ops.DropColumnOp.from_column_and_tablename(table.schema, table.name, old)
    add = ops.AddColumnOp.from_column_and_tablename(table.schema, table.name, column)
    changes.ops[:] = [drop, *changes.ops, add]


def _kept(old: SchemaObject) -> Statement:
    """https://www.postgresql.org/docs/current/sql-altertable.html: DROP EXPRESSION."""
    table = (old.parent or "").removeprefix("table ")
    column = old.name.removeprefix(f"{table}.")
    kind, collation = old.definition["type"], old.definition.get("collation")
    expression = str(old.definition["computed"]).removesuffix(" STORED")
    collate = f" COLLATE {collation}" if collation else ""
    return Statement(
        f"ALTER TABLE {table} ALTER COLUMN {column} DROP EXPRESSION",
        f"ALTER TABLE {table} DROP COLUMN {column}, ADD COLUMN {column} {kind}{collate}"
        f" GENERATED ALWAYS AS ({expression}) STORED",
    )


def reflected(
    column: Column[Any], found: Facets, column_type: TypeEngine[Any], *, is_sqlite: bool
) -> Column[Any]:
    """Return the column as the database has it."""
    expression, _, kind = str(found.get("computed", "")).rpartition(" ")
    if is_sqlite:  # which keeps the parentheses around it
        expression = expression[1:-1]
    computed = [Computed(escaped(expression), persisted=kind == "STORED")] if expression else []
    default = found.get("default")
    return Column(
        column.name,
        column_type,
        *computed,
        server_default=text(escaped(str(default))) if default else None,
        nullable="not null" not in found,
    )


PLUGIN = Plugin(NAME)
# What is a dialect's comes before what is for all: Alembic fails with such a column if the service
# has a function for comparing defaults.
for dialect in ("postgresql", "sqlite"):
    PLUGIN.add_autogenerate_comparator(
        compare, "column", "server_default", qualifier=dialect, priority=DispatchPriority.FIRST
    )
