"""Points out what may be a rename, which autogenerate sees as something dropped and added."""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any

from alembic.operations import ops
from sqlalchemy import Column, TypeDecorator
from sqlalchemy.types import TypeEngine

Name = tuple[str | None, str]


def possible_renames(operations: Iterable[ops.MigrateOperation]) -> Iterator[str]:
    """Yield a line for each dropped table or column beside which one of the same kind is added."""
    operations = list(operations)
    yield from _tables(operations)
    changes: dict[Name, list[ops.MigrateOperation]] = {}
    for table in operations:
        if isinstance(table, ops.ModifyTableOps):
            changes.setdefault((table.schema, table.table_name), []).extend(table.ops)
    for (schema, name), inner in changes.items():
        dropped = {
            op.column_name: op.to_column() for op in inner if isinstance(op, ops.DropColumnOp)
        }
        added = {op.column.name: op.column for op in inner if isinstance(op, ops.AddColumnOp)}
        within = f', schema="{schema}"' if schema else ""
        for old, new in _pairs(dropped, added, lambda column: _values_of(column.type)):
            yield (
                f"Renamed? {name}.{old} is dropped and {new} added, which loses the data. To keep "
                f'it: op.alter_column("{name}", "{old}", new_column_name="{new}"{within})'
            )


def _tables(operations: list[ops.MigrateOperation]) -> Iterator[str]:
    dropped = {
        (op.schema, op.table_name): op for op in operations if isinstance(op, ops.DropTableOp)
    }
    created = {
        (op.schema, op.table_name): op.reverse()
        for op in operations
        if isinstance(op, ops.CreateTableOp)
    }
    for (schema, old), (new_schema, new) in _pairs(dropped, created, _columns_of):
        if schema == new_schema:
            within = f', schema="{schema}"' if schema else ""
            yield (
                f"Renamed? Table {old} is dropped and {new} created, which loses the data. To keep "
                f'it: op.rename_table("{old}", "{new}"{within})'
            )


def _pairs(dropped: dict[Any, Any], added: dict[Any, Any], kind: Any) -> Iterator[tuple[Any, Any]]:
    """Yield names of what is alike, each name once, the most similar ones first."""
    alike = [
        (SequenceMatcher(None, str(old), str(new)).ratio(), old, new)
        for old, before in dropped.items()
        for new, after in added.items()
        if old != new and kind(before) == kind(after)
    ]
    taken: set[tuple[str, Any]] = set()
    for _, old, new in sorted(alike, key=lambda one: one[0], reverse=True):
        if taken.isdisjoint({("old", old), ("new", new)}):
            taken |= {("old", old), ("new", new)}
            yield old, new


def _columns_of(op: ops.DropTableOp) -> object:
    return sorted(
        (item.name, str(_values_of(item.type)))
        for item in op.to_table().columns
        if isinstance(item, Column)
    )


def _values_of(column_type: TypeEngine[Any]) -> object:
    """Return what the column's values are in Python: a length or precision makes no difference."""
    while isinstance(column_type, TypeDecorator):
        column_type = column_type.impl_instance
    try:
        return column_type.python_type
    except NotImplementedError:
        return type(column_type)
