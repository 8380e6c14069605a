"""Columns of PostgreSQL tables that are in use: `op.add_column_online`, `op.set_not_null_online`.

On SQLite they are ordinary changes in batch mode.
"""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations, ops
from alembic.util import CommandError
from sqlalchemy import Column, Enum

from dbkit.operations.backfill import BATCH, PAUSE, Backfill
from dbkit.operations.existing_columns import default_of, look_at, needs_steps
from dbkit.operations.not_valid import add_check, look
from dbkit.operations.statements import (
    after_autovacuum,
    offline,
    on_postgresql,
    quoted,
    quoted_table,
    run,
)
from dbkit.transactions import autocommit_operation


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
        with autocommit_operation(operations.migration_context):
            found = look_at(operations, table, column_name)
            if found is None or not found.not_null:
                name = operations.f(helper)
                add_check(operations, name, table_name, f"{column} IS NOT NULL", schema)
                with after_autovacuum(operations, table):
                    run(operations, f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
            if offline(operations) or _is_ours(look(operations, table, helper), column_name):
                drop = f"ALTER TABLE {table} DROP CONSTRAINT {quoted(operations, helper)}"
                with after_autovacuum(operations, table):
                    run(operations, drop)

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
        kind = column.type  # which may bring a CHECK when the column has got its table
        checked = isinstance(kind, Enum) and kind.create_constraint and not kind.native_enum
        if constraints or column.unique or column.index or checked:
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
        with autocommit_operation(operations.migration_context):
            steps = needs_steps(operations, table_name, schema, column)
            bare = Column(column.name, column.type, comment=column.comment) if steps else column
            add = ops.AddColumnOp(table_name, bare, schema=schema, if_not_exists=True)
            with after_autovacuum(operations, table):
                operations.invoke(add)
            if not steps:
                return
            default = default_of(operations, column)
            with after_autovacuum(operations, table):
                run(operations, f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}")
            rest: dict[str, Any] = {"key": key, "schema": schema, "batch": batch, "pause": pause}
            Backfill.backfill(
                operations, table_name, f"{name} = {default}", where=f"{name} IS NULL", **rest
            )
            if not column.nullable:
                cls.set_not_null_online(operations, table_name, column.name, schema=schema)


def _is_ours(found: Sequence[Any] | None, column: str) -> bool:
    """Whether a constraint is the CHECK of `set_not_null_online`, whatever is quoted there."""
    names = (column, '"' + column.replace('"', '""') + '"')
    return found is not None and found[1] in [f"CHECK (({name} IS NOT NULL))" for name in names]
