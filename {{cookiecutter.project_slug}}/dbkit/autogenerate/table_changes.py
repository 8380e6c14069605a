"""Finds, among the operations of an upgrade, those that change tables and their columns."""

from collections.abc import Iterator
from typing import Any

from alembic.operations import ops
from sqlalchemy import Column, Table
from sqlalchemy.types import TypeEngine

from dbkit.autogenerate.scope import Scope
from dbkit.schema import SchemaObject


def operations_in_tables(upgrade: ops.UpgradeOps) -> Iterator[ops.MigrateOperation]:
    """Yield what is done to tables that stay."""
    for table in upgrade.ops:
        if isinstance(table, ops.ModifyTableOps):
            yield from table.ops


def changes_of(upgrade: ops.UpgradeOps, table: Table) -> ops.ModifyTableOps:
    """Return what holds the changes of a table; adds it to the upgrade where there is none."""
    tables = (op for op in upgrade.ops if isinstance(op, ops.ModifyTableOps))
    for op in tables:
        if (op.schema, op.table_name) == (table.schema, table.name):
            return op
    added = ops.ModifyTableOps(table.name, [], schema=table.schema)
    upgrade.ops.append(added)
    return added


def take_old_type(changes: ops.ModifyTableOps, column: Column[Any]) -> TypeEngine[Any]:
    """Return the type that a column has; takes out what would alter it, which needs no words."""
    altered = [
        op
        for op in changes.ops
        if isinstance(op, ops.AlterColumnOp) and op.column_name == column.name
    ]
    changes.ops[:] = [op for op in changes.ops if op not in altered]
    types = (op.existing_type for op in altered if op.modify_type is not None)
    return next((each for each in types if each is not None), column.type)


def column_of(one: SchemaObject, scope: Scope) -> Column[Any] | None:
    """Return the models' column that an object of theirs is."""
    table = scope.table_of(one)
    if table is None:
        return None
    return table.c[scope.key_of(one)[-1].removeprefix(f"{table.name}.")]
