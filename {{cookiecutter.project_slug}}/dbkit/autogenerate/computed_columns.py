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
from sqlalchemy import Column, Computed, text

from dbkit.autogenerate.statements import Statement, escaped
from dbkit.autogenerate.two_pictures import TwoPictures
from dbkit.schema import SchemaObject

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


def replacements(pictures: TwoPictures) -> Iterator[ops.MigrateOperation]:
    """Yield, for each column that is computed in another way, operations that drop and add it.

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
        is_sqlite = pictures.dialect.name == "sqlite"
        if not is_sqlite and before.endswith("STORED") and column.computed is None:
            yield _kept(old)
            continue
        schema, name = table.schema, table.name
        drop = ops.DropColumnOp.from_column_and_tablename(
            schema, name, _reflected(column, old, is_sqlite=is_sqlite)
        )
        add = ops.AddColumnOp.from_column_and_tablename(schema, name, column)
        yield ops.ModifyTableOps(name, [drop, add], schema=schema)


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


def _reflected(column: Column[Any], old: SchemaObject, *, is_sqlite: bool) -> Column[Any]:
    """Return the column as the database has it, as far as its models' type goes."""
    expression, _, kind = str(old.definition.get("computed", "")).rpartition(" ")
    if is_sqlite:  # which keeps the parentheses around it
        expression = expression[1:-1]
    computed = [Computed(escaped(expression), persisted=kind == "STORED")] if expression else []
    default = old.definition.get("default")
    return Column(
        column.name,
        column.type,
        *computed,
        server_default=text(escaped(str(default))) if default else None,
        nullable="not null" not in old.definition,
    )


Plugin(NAME).add_autogenerate_comparator(
    compare, "column", "server_default", priority=DispatchPriority.FIRST
)
