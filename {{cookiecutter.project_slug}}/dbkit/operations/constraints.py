"""Constraints on PostgreSQL tables that are in use: each is added unproved, and proved afterwards.

To add one in a single step reads the whole table under a lock that stops writers, or everybody.
On SQLite they are ordinary changes in batch mode.
"""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations, ops

from dbkit.operations.indexes import IndexOnline
from dbkit.operations.not_valid import add_and_validate, add_check, final_name, is_another, look
from dbkit.operations.statements import (
    after_autovacuum,
    log,
    on_postgresql,
    quoted,
    quoted_table,
    run,
)
from dbkit.transactions import autocommit_operation


@Operations.register_operation("create_foreign_key_online")
@Operations.register_operation("create_check_constraint_online")
@Operations.register_operation("create_unique_constraint_online")
class ConstraintOnline(MigrateOperation):
    """Under names that say what they do."""

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
        """Add a foreign key while others read and write; options as `op.create_foreign_key`'s.

        Locks: SHARE ROW EXCLUSIVE on both tables, which stops writers, for a moment; then, for as
        long as `source_table` is read, SHARE UPDATE EXCLUSIVE on it and ROW SHARE on the other,
        which stop neither readers nor writers.
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
        """
        columns = ([*local_cols], [*remote_cols])
        if not on_postgresql(operations):
            with operations.batch_alter_table(source_table, schema=source_schema) as batch:
                batch.create_foreign_key(constraint_name, referent_table, *columns, **kw)
            return

        def same(found: Sequence[Any]) -> bool:
            kind, definition, is_referent, *found_columns = found
            definition = definition.upper()  # `SET NULL (column)`, say
            actions = {f" ON {on} {kw.get(f'on{on}')}".upper() for on in ("update", "delete")}
            wanted = [action for action in actions if not action.endswith((" NONE", " NO ACTION"))]
            return bool(
                (kind, is_referent, tuple(found_columns)) == ("f", True, columns)
                and definition.count(" ON ") == len(wanted)
                and all(action in definition for action in wanted)
            )

        kw |= {"source_schema": source_schema, "postgresql_not_valid": True}
        wanted = ops.CreateForeignKeyOp(
            constraint_name, source_table, referent_table, *columns, **kw
        )
        referent = quoted_table(operations, referent_table, kw.get("referent_schema"))
        table = quoted_table(operations, source_table, source_schema)
        add_and_validate(operations, wanted, table, same, referent)

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

        Locks: ACCESS EXCLUSIVE, which stops everybody, for a moment; then SHARE UPDATE EXCLUSIVE,
        which stops neither readers nor writers, for as long as the table is read.
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
        """
        if not on_postgresql(operations):
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
        """Add a unique constraint while others read and write: an index first, which becomes it.

        Locks: as `create_index_online`, then ACCESS EXCLUSIVE for a moment.
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
        """
        if not on_postgresql(operations):
            with operations.batch_alter_table(table_name, schema=schema) as batch:
                batch.create_unique_constraint(constraint_name, [*columns])
            return
        wanted = ops.CreateUniqueConstraintOp(constraint_name, table_name, columns, schema=schema)
        table, name = quoted_table(operations, table_name, schema), final_name(operations, wanted)
        with autocommit_operation(operations.migration_context):
            found = look(operations, table, name)
            if found and (found[0], found[3]) != ("u", [*columns]):
                raise is_another(name, found)
            if found:
                log.info("constraint %s: there already, from an attempt before; kept", name)
                return
            IndexOnline.create_index_online(
                operations, operations.f(name), table_name, columns, schema=schema, unique=True
            )
            name = quoted(operations, name)
            with after_autovacuum(operations, table):
                run(
                    operations,
                    f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
                )
