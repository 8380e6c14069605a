"""Constraints on tables in use: `op.create_…_online` for foreign keys, CHECKs, unique constraints.

Added in a single step, each would read the whole table under a lock that blocks writers, or
everybody. On SQLite they are ordinary changes in batch mode.
"""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations, ops

from dbkit.operations.indexes import IndexOperations
from dbkit.operations.not_valid import (
    ExistingConstraint,
    add_and_validate,
    add_check,
    another_definition,
    find_constraint,
)
from dbkit.operations.sql import (
    execute,
    final_name,
    log,
    quote,
    quote_table,
    short_exclusive_lock,
    works_online,
)
from dbkit.transactions import autocommit_operation


@Operations.register_operation("create_foreign_key_online")
@Operations.register_operation("create_check_constraint_online")
@Operations.register_operation("create_unique_constraint_online")
class ConstraintOperations(MigrateOperation):
    """Registers the three operations that create constraints.

    Each raises a `CommandError` if a constraint of that name exists with another definition, and
    SQLAlchemy's `IntegrityError` if existing rows break it; no constraint stays behind then.
    """

    @classmethod
    def create_foreign_key_online(
        cls,
        operations: Operations,
        constraint_name: str,
        source_table: str,
        referent_table: str,
        local_cols: Sequence[str],
        remote_cols: Sequence[str],
        *,
        source_schema: str | None = None,
        **kw: Any,
    ) -> None:
        """Add a foreign key while others read and write; arguments of `op.create_foreign_key`.

        Locks: SHARE ROW EXCLUSIVE on both tables, which blocks writers, for a moment; then, while
        `source_table` is read, SHARE UPDATE EXCLUSIVE on it and ROW SHARE on the other, which
        block neither readers nor writers.
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
        """
        columns = ([*local_cols], [*remote_cols])
        if not works_online(operations):
            with operations.batch_alter_table(source_table, schema=source_schema) as batch:
                batch.create_foreign_key(constraint_name, referent_table, *columns, **kw)
            return

        def is_wanted(found: ExistingConstraint) -> bool:
            definition = found.definition.upper()  # an action may be `SET NULL (column)`, say
            actions = {f" ON {on} {kw.get(f'on{on}')}".upper() for on in ("update", "delete")}
            wanted = [action for action in actions if not action.endswith((" NONE", " NO ACTION"))]
            return bool(
                found.kind == "f"
                and found.is_to_referent
                and (found.columns, found.referent_columns) == columns
                and definition.count(" ON ") == len(wanted)
                and all(action in definition for action in wanted)
            )

        kw |= {"source_schema": source_schema, "postgresql_not_valid": True}
        wanted = ops.CreateForeignKeyOp(
            constraint_name, source_table, referent_table, *columns, **kw
        )
        referent = quote_table(operations, referent_table, kw.get("referent_schema"))
        table = quote_table(operations, source_table, source_schema)
        add_and_validate(operations, wanted, table, is_wanted, referent)

    @classmethod
    def create_check_constraint_online(
        cls,
        operations: Operations,
        constraint_name: str,
        table_name: str,
        condition: Any,
        *,
        schema: str | None = None,
    ) -> None:
        """Add a CHECK constraint while others read and write.

        Locks: ACCESS EXCLUSIVE, which blocks everybody, for a moment; then SHARE UPDATE EXCLUSIVE,
        which blocks neither readers nor writers, while the table is read.
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
        """
        if not works_online(operations):
            with operations.batch_alter_table(table_name, schema=schema) as batch:
                batch.create_check_constraint(constraint_name, condition)
            return
        add_check(operations, constraint_name, table_name, condition, schema)

    @classmethod
    def create_unique_constraint_online(
        cls,
        operations: Operations,
        constraint_name: str,
        table_name: str,
        columns: Sequence[str],
        *,
        schema: str | None = None,
    ) -> None:
        """Add a unique constraint while others read and write: its index first, concurrently.

        Locks: those of `create_index_online`, then ACCESS EXCLUSIVE for a moment.
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
        """
        if not works_online(operations):
            with operations.batch_alter_table(table_name, schema=schema) as batch:
                batch.create_unique_constraint(constraint_name, [*columns])
            return
        context = operations.migration_context
        wanted = ops.CreateUniqueConstraintOp(constraint_name, table_name, columns, schema=schema)
        name = final_name(operations, wanted.to_constraint(context))
        table = quote_table(operations, table_name, schema)
        with autocommit_operation(context):
            found = find_constraint(operations, table, name)
            if found and (found.kind, found.columns) != ("u", [*columns]):
                raise another_definition(name, found)
            if found:
                log.info("constraint %s: exists already, with this definition; kept", name)
                return
            IndexOperations.create_index_online(
                operations, operations.f(name), table_name, columns, schema=schema, unique=True
            )
            name = quote(operations, name)
            with short_exclusive_lock(operations, table):
                execute(
                    operations,
                    f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
                )
