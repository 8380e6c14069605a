"""Points out what may be a rename, which autogenerate sees as a dropped and an added column."""

from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import ops
from sqlalchemy import TypeDecorator
from sqlalchemy.types import TypeEngine


def possible_renames(operations: Iterable[ops.MigrateOperation]) -> Iterator[str]:
    """Yield a line for each dropped column beside which one of the same kind is added."""
    for table in operations:
        if not isinstance(table, ops.ModifyTableOps):
            continue
        dropped = [op for op in table.ops if isinstance(op, ops.DropColumnOp)]
        added = [op for op in table.ops if isinstance(op, ops.AddColumnOp)]
        for old in dropped:
            for new in added:
                if old.column_name == new.column.name:  # it is computed in another way
                    continue
                if _values_of(old.to_column().type) == _values_of(new.column.type):
                    yield (
                        f"Renamed? {table.table_name}.{old.column_name} is dropped and "
                        f"{new.column.name} added, which loses the data. To keep it: "
                        f'op.alter_column("{table.table_name}", "{old.column_name}", '
                        f'new_column_name="{new.column.name}")'
                    )


def _values_of(column_type: TypeEngine[Any]) -> object:
    """Return what the column's values are in Python: a length or precision makes no difference."""
    while isinstance(column_type, TypeDecorator):
        column_type = column_type.impl_instance
    try:
        return column_type.python_type
    except NotImplementedError:
        return type(column_type)
