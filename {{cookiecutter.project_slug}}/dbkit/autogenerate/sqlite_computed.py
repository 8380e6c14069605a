"""Drops and adds columns of SQLite that are computed in another way: that can be computed again.

https://www.sqlite.org/gencol.html
"""

import re
from collections.abc import Iterator
from typing import Any

from alembic.operations import ops
from sqlalchemy import Column, Computed, text
from sqlalchemy.types import TypeEngine

from dbkit.autogenerate.statements import escaped
from dbkit.autogenerate.two_pictures import TwoPictures
from dbkit.schema import SchemaObject

WORD = re.compile(r'"((?:[^"]|"")+)"|([^\W\d][\w$]*)')  # a name, with or without quotes


def write_replacements(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Drop and add each column that is computed in another way, in one batch for each table.

    The old one goes before the columns that it uses, and the new one comes after those that it
    uses. A column that is computed no more keeps its values.
    """
    changes = {op.table_name: op for op in upgrade.ops if isinstance(op, ops.ModifyTableOps)}
    for old, new in _replaced(pictures, changes):
        table = pictures.scope.table_of(new)
        if table is None:
            continue
        column = table.c[pictures.scope.key_of(new)[-1].removeprefix(f"{table.name}.")]
        if table.name not in changes:
            changes[table.name] = ops.ModifyTableOps(table.name, [])
            upgrade.ops.append(changes[table.name])
        others = changes[table.name]
        found = _reflected(column, _take_old_type(others, column), old)
        if column.computed is None:
            others.ops.insert(0, _computed_no_more(table.name, column, found))
            continue
        drop = ops.DropColumnOp.from_column_and_tablename(None, table.name, found)
        add = ops.AddColumnOp.from_column_and_tablename(None, table.name, column)
        others.ops[:] = [drop, *others.ops, add]


def _replaced(
    pictures: TwoPictures, changes: dict[Any, ops.ModifyTableOps]
) -> Iterator[tuple[SchemaObject, SchemaObject]]:
    """Yield what both pictures have of a computed column that is to be replaced.

    So is one that is computed from a column whose type changes.
    """
    altered = {
        pictures.scope.key("column", op.schema, op.table_name, op.column_name)
        for table in changes.values()
        for op in table.ops
        if isinstance(op, ops.AlterColumnOp) and op.modify_type is not None
    }
    different = {one.key for one in pictures.differences() if "computed" in one.facets}
    for key, old in pictures.found.objects.items():
        new = pictures.wanted.objects.get(key)
        if new is None or old.kind != "column":
            continue
        *parent, _ = pictures.scope.key_of(old)
        words = WORD.findall(str(old.definition.get("computed", "")))
        used = {(*parent, quoted.replace('""', '"') or bare) for quoted, bare in words}
        if key in different or not used.isdisjoint(altered):
            yield old, new


def _take_old_type(changes: ops.ModifyTableOps, column: Column[Any]) -> TypeEngine[Any]:
    """Return the type that a column has; takes out what would alter it, which needs no words."""
    altered = [
        op
        for op in changes.ops
        if isinstance(op, ops.AlterColumnOp) and op.column_name == column.name
    ]
    changes.ops[:] = [op for op in changes.ops if op not in altered]
    types = (op.existing_type for op in altered if op.modify_type is not None)
    return next((each for each in types if each is not None), column.type)


def _computed_no_more(table: str, column: Column[Any], found: Column[Any]) -> ops.AlterColumnOp:
    """Return what a batch makes of a computed column, which then has a default or none."""
    is_new_type = found.type is not column.type
    return ops.AlterColumnOp(
        table,
        column.name,
        existing_type=found.type,
        modify_type=column.type if is_new_type else None,
        existing_nullable=found.nullable,
        modify_nullable=None if found.nullable == column.nullable else column.nullable,
        existing_server_default=found.computed,
        modify_server_default=column.server_default,
    )


def _reflected(column: Column[Any], column_type: TypeEngine[Any], old: SchemaObject) -> Column[Any]:
    """Return the column as the database has it."""
    expression, _, kind = str(old.definition.get("computed", "")).rpartition(" ")
    expression = expression[1:-1]  # SQLite keeps the parentheses around it
    computed = [Computed(escaped(expression), persisted=kind == "STORED")] if expression else []
    default = old.definition.get("default")
    return Column(
        column.name,
        column_type,
        *computed,
        server_default=text(escaped(str(default))) if default else None,
        nullable="not null" not in old.definition,
    )
