"""Points out changes that may be a rename, which autogenerate writes as a loss of data."""

from collections.abc import Iterable

from alembic.operations import ops
from sqlalchemy import Dialect
from sqlalchemy.types import TypeEngine


def find_renames(operations: Iterable[ops.MigrateOperation], dialect: Dialect) -> list[str]:
    """Return a line for each column that is dropped where one of the same kind is added."""
    return [
        f"Renamed? {table.table_name}.{old.column_name} is dropped and {new.column.name} added, "
        f'which loses the data. To keep it: op.alter_column("{table.table_name}", '
        f'"{old.column_name}", new_column_name="{new.column.name}")'
        for table in operations
        if isinstance(table, ops.ModifyTableOps)
        for old in table.ops
        if isinstance(old, ops.DropColumnOp)
        for new in table.ops
        if isinstance(new, ops.AddColumnOp)
        and _kind(old.to_column().type, dialect) == _kind(new.column.type, dialect)
    ]


def _kind(column_type: TypeEngine[object], dialect: Dialect) -> str:
    """Return the database's word for a type, without its length: `VARCHAR(80)` → `VARCHAR`."""
    return column_type.compile(dialect).partition("(")[0].strip().upper()
