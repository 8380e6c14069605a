"""Columns of PostgreSQL tables that are in use: `op.add_column_online`, `op.set_not_null_online`.

On SQLite they are ordinary changes in batch mode.
"""

from typing import Any

from alembic.operations import MigrateOperation, Operations, ops
from alembic.util import CommandError
from sqlalchemy import Column

from app.migrator.backfill import BATCH, PAUSE, Backfill
from app.migrator.kinds import operation as committing
from app.migrator.statements import (
    likeness,
    offline,
    on_postgresql,
    quoted,
    quoted_table,
    run,
)
from app.migrator.two_steps import add_check, look

# The type, whether NULL is refused, and whether rows that were there before have got the default
# without being written: https://www.postgresql.org/docs/current/catalog-pg-attribute.html
COLUMN = """
    SELECT format_type(atttypid, atttypmod), attnotnull, atthasmissing FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped
"""


@Operations.register_operation("add_column_online")
@Operations.register_operation("set_not_null_online")
class ColumnOnline(MigrateOperation):
    """Under names that say what they do."""

    @classmethod
    def set_not_null_online(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        *,
        schema: str | None = None,
    ) -> None:
        """Make a column NOT NULL while others read and write.

        A CHECK that is validated first tells SET NOT NULL that there is nothing to look for.
        Locks: ACCESS EXCLUSIVE, which stops everybody, three times for a moment; between the first
        and the second, for as long as the table is read, SHARE UPDATE EXCLUSIVE, which stops
        neither readers nor writers. https://www.postgresql.org/docs/current/sql-altertable.html
        """
        if not on_postgresql(operations):
            with operations.batch_alter_table(table_name, schema=schema) as batch:
                batch.alter_column(column_name, nullable=False)
            return
        table, column = (
            quoted_table(operations, table_name, schema),
            quoted(operations, column_name),
        )
        helper = f"not_null_{column_name}".encode()[:63].decode(errors="ignore")
        with committing(operations.migration_context):
            found = _look(operations, table, column_name)
            if found is None or not found[1]:
                name = operations.f(helper)
                add_check(operations, name, table_name, f"{column} IS NOT NULL", schema)
                run(operations, f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
            if offline(operations) or look(operations, table, helper):
                run(operations, f"ALTER TABLE {table} DROP CONSTRAINT {quoted(operations, helper)}")

    @classmethod
    def add_column_online(
        cls,
        operations: Operations,
        table_name: str,
        column: Any,
        *,
        schema: str | None = None,
        key: str = "id",
        batch: int = BATCH,
        pause: float = PAUSE,
    ) -> None:
        """Add a column while others read and write, whatever its default.

        PostgreSQL keeps a default that is the same for all rows aside. One that is not
        (`gen_random_uuid()`) rewrites the table under a lock that stops everybody: here it is
        set for new rows, the others are filled as by `backfill`, and NOT NULL comes last.
        Locks: ACCESS EXCLUSIVE for a moment, twice, and those of `backfill` and
        `set_not_null_online`. https://www.postgresql.org/docs/current/ddl-alter.html
        """
        if not on_postgresql(operations):
            with operations.batch_alter_table(table_name, schema=schema) as batch_operations:
                batch_operations.add_column(column)
            return
        constraints = column.foreign_keys or column.constraints or column.primary_key
        if constraints or column.unique or column.index:
            raise CommandError(
                f"{table_name}.{column.name}: add the column without its constraint or index, and "
                "then those by operations of their own"
            )
        if column.computed is not None or column.identity is not None:
            raise CommandError(
                f"{table_name}.{column.name}: the server fills such a column by itself, which "
                "cannot be done online"
            )
        table, name = quoted_table(operations, table_name, schema), quoted(operations, column.name)
        with committing(operations.migration_context):
            steps = _needs_steps(operations, table, column)
            bare = Column(column.name, column.type, comment=column.comment) if steps else column
            operations.invoke(ops.AddColumnOp(table_name, bare, schema=schema, if_not_exists=True))
            if not steps:
                return
            default = _default(operations, column)
            run(operations, f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}")
            rest: dict[str, Any] = {"key": key, "schema": schema, "batch": batch, "pause": pause}
            Backfill.backfill(
                operations, table_name, f"{name} = {default}", where=f"{name} IS NULL", **rest
            )
            if not column.nullable:
                cls.set_not_null_online(operations, table_name, column.name, schema=schema)


def _look(operations: Operations, table: str, column: str) -> Any:
    rows = [] if offline(operations) else run(operations, COLUMN, table, column)
    return rows[0] if rows else None


def _needs_steps(operations: Operations, table: str, column: Column[Any]) -> bool:
    """Whether adding the column at once would write to every row: the server is asked.

    Raises:
        CommandError: the column exists, with another type.
    """
    if offline(operations):  # a call, which may be volatile
        return column.server_default is not None and "(" in _default(operations, column)
    found = _look(operations, table, column.name)
    with likeness(operations, table) as temporary:
        if found:
            run(
                operations, f"ALTER TABLE {temporary} DROP COLUMN {quoted(operations, column.name)}"
            )
        operations.add_column(temporary, column)
        kind, _refuses_null, constant = _look(operations, temporary, column.name)
    if found and found[0] != kind:
        raise CommandError(
            f"column {column.name} of {table} exists and is another one, {found[0]}; "
            "drop it first, or change the name"
        )
    return column.server_default is not None and not constant


def _default(operations: Operations, column: Column[Any]) -> str:
    dialect = operations.migration_context.dialect
    return str(dialect.ddl_compiler(dialect, None).get_column_default_string(column))  # type: ignore[arg-type] # no statement
