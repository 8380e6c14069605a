"""Columns of tables in use: `op.add_column_online` and `op.set_not_null_online`.

On SQLite they are ordinary changes in batch mode.
"""

from typing import Any

from alembic.operations import MigrateOperation, Operations, ops
from alembic.util import CommandError
from sqlalchemy import Column, Enum

from dbkit.operations.backfill import BATCH, PAUSE, Backfill
from dbkit.operations.interrupted_columns import default_sql, find_column, needs_backfill
from dbkit.operations.not_valid import ExistingConstraint, add_check, find_constraint
from dbkit.operations.sql import (
    execute,
    is_offline,
    quote,
    quote_table,
    short_exclusive_lock,
    works_online,
)
from dbkit.transactions import autocommit_operation


@Operations.register_operation("add_column_online")
@Operations.register_operation("set_not_null_online")
class ColumnOperations(MigrateOperation):
    """Registers `op.add_column_online` and `op.set_not_null_online`."""

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

        SET NOT NULL need not read the table if a validated CHECK says the same: one is added for
        the purpose, and dropped afterwards.
        Locks: ACCESS EXCLUSIVE, which blocks everybody, three times for a moment; between the
        first and the second, while the table is read, SHARE UPDATE EXCLUSIVE, which blocks
        neither readers nor writers. https://www.postgresql.org/docs/current/sql-altertable.html

        Raises:
            CommandError: the CHECK's name is taken by another one.
            IntegrityError: there are NULLs; the CHECK is dropped again.
        """
        if not works_online(operations):
            with operations.batch_alter_table(table_name, schema=schema) as batch:
                batch.alter_column(column_name, nullable=False)
            return
        table = quote_table(operations, table_name, schema)
        column = quote(operations, column_name)
        # A name may have 63 bytes: a character that is cut in two goes.
        check = f"not_null_{column_name}".encode()[:63].decode(errors="ignore")
        with autocommit_operation(operations.migration_context):
            found = find_column(operations, table, column_name)
            if found is None or not found.not_null:
                name = operations.f(check)
                add_check(operations, name, table_name, f"{column} IS NOT NULL", schema)
                with short_exclusive_lock(operations, table):
                    execute(operations, f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
            existing = find_constraint(operations, table, check)
            if is_offline(operations) or _is_not_null_check(existing, column_name):
                drop = f"ALTER TABLE {table} DROP CONSTRAINT {quote(operations, check)}"
                with short_exclusive_lock(operations, table):
                    execute(operations, drop)

    @classmethod
    def add_column_online(
        cls,
        operations: Operations,
        table_name: str,
        column: Column[Any],
        *,
        schema: str | None = None,
        key: str = "id",
        batch: int = BATCH,
        pause: float = PAUSE,
    ) -> None:
        """Add a column while others read and write, whatever its default.

        PostgreSQL stores a default that is the same for all rows once, in the catalogue. One that
        differs (`gen_random_uuid()`) causes a table rewrite under a lock that blocks everybody:
        here it is set for new rows, existing ones are filled by `backfill`, and NOT NULL is last.
        Locks: ACCESS EXCLUSIVE for a moment, twice, and those of `backfill` and
        `set_not_null_online`. https://www.postgresql.org/docs/current/ddl-alter.html

        Args:
            key, batch, pause: see `op.backfill`.

        Raises:
            CommandError: the column has a constraint or an index, is computed, an identity or of
                a domain, or exists with another definition.
        """
        if not works_online(operations):
            with operations.batch_alter_table(table_name, schema=schema) as batch_operations:
                batch_operations.add_column(column)
            return
        _refuse_unsupported(table_name, column)
        table, name = quote_table(operations, table_name, schema), quote(operations, column.name)
        with autocommit_operation(operations.migration_context):
            backfill = needs_backfill(operations, table_name, schema, column)
            bare = Column(column.name, column.type, comment=column.comment) if backfill else column
            add = ops.AddColumnOp(table_name, bare, schema=schema, if_not_exists=True)
            with short_exclusive_lock(operations, table):
                operations.invoke(add)
            if not backfill:
                return
            default = default_sql(operations, column)
            alter = f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}"
            with short_exclusive_lock(operations, table):
                execute(operations, alter)
            rest: dict[str, Any] = {"key": key, "schema": schema, "batch": batch, "pause": pause}
            Backfill.backfill(
                operations, table_name, f"{name} = {default}", where=f"{name} IS NULL", **rest
            )
            if not column.nullable:
                cls.set_not_null_online(operations, table_name, column.name, schema=schema)


def _refuse_unsupported(table_name: str, column: Column[Any]) -> None:
    constraints = column.foreign_keys or column.constraints or column.primary_key
    kind = column.type  # which adds a CHECK only when the column has got its table
    adds_check = isinstance(kind, Enum) and kind.create_constraint and not kind.native_enum
    if constraints or column.unique or column.index or adds_check:
        raise CommandError(
            f"{table_name}.{column.name}: add the column without its constraint or index, and "
            "then those by operations of their own"
        )
    if column.computed is not None or column.identity is not None:
        raise CommandError(
            f"{table_name}.{column.name}: adding a computed or identity column rewrites the "
            "table, which cannot be done online"
        )


def _is_not_null_check(found: ExistingConstraint | None, column: str) -> bool:
    """Tell whether it is the CHECK of `set_not_null_online`; the server decides about quotes."""
    names = (column, '"' + column.replace('"', '""') + '"')
    wanted = [f"CHECK (({name} IS NOT NULL))" for name in names]
    return found is not None and found.definition in wanted
