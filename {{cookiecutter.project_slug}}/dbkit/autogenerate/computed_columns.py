"""Leaves computed and identity columns to what two pictures say.

A plug-in of Alembic's, whose comparison of SQL texts warns of computed columns, and whose change of
an identity column fails. Pictures tell what differs, and SQL is written for it (`mends`); a
computed column whose expression differs is dropped and added (`computed_replacements`).
https://alembic.sqlalchemy.org/en/latest/api/plugins.html
"""

from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Column, Computed, Table, text
from sqlalchemy.types import TypeEngine

from dbkit.autogenerate.statements import Statement, escaped
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
    for difference in pictures.differences():
        old, new = difference.first, difference.second
        if old is None or new is None or "computed" not in difference.facets:
            continue
        table = pictures.scope.table_of(new)
        if table is None:
            continue
        column = table.c[pictures.scope.key_of(new)[-1].removeprefix(f"{table.name}.")]
        before = str(old.definition.get("computed", ""))
        if before.endswith("STORED") and column.computed is None:
            upgrade.ops.append(_kept(old))
            continue
        replace_column(upgrade, table, column, old.definition)


def replace_column(
    upgrade: ops.UpgradeOps, table: Table, column: Column[Any], found: Facets
) -> None:
    """Drop a column and add it as the models have it, in place of what would alter it.

    Args:
        found: what the database says of it.
    """
    schema, name = table.schema, table.name
    kind: TypeEngine[Any] = column.type
    for change in upgrade.ops:
        if isinstance(change, ops.ModifyTableOps) and change.table_name == name:
            for op in [*change.ops] if change.schema == schema else ():
                if isinstance(op, ops.AlterColumnOp) and op.column_name == column.name:
                    change.ops.remove(op)
                    kind = op.existing_type or kind
    reflected = _reflected(column, found, kind)
    drop = ops.DropColumnOp.from_column_and_tablename(schema, name, reflected)
    add = ops.AddColumnOp.from_column_and_tablename(schema, name, column)
    upgrade.ops.append(ops.ModifyTableOps(name, [drop, add], schema=schema))


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


def _reflected(column: Column[Any], found: Facets, kind: TypeEngine[Any]) -> Column[Any]:
    """Return the column as the database has it."""
    expression, _, how = str(found.get("computed", "")).rpartition(" ")
    computed = [Computed(escaped(expression), persisted=how == "STORED")] if expression else []
    default = found.get("default")
    return Column(
        column.name,
        kind,
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
