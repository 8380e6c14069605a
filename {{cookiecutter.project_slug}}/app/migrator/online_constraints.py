"""Constraints on PostgreSQL tables that are in use: each is added unproved, and proved afterwards.

To add one in a single step reads the whole table under a lock that stops writers, or everybody.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
On SQLite they are ordinary changes in batch mode.
"""

from collections.abc import Callable, Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations, ops
from alembic.util import CommandError
from alembic.util.sqla_compat import _get_constraint_final_name
from sqlalchemy.exc import IntegrityError

from app.migrator import online
from app.migrator.kinds import operation as committing
from app.migrator.statements import (
    likeness,
    offline,
    on_postgresql,
    quoted,
    quoted_table,
    run,
)

# https://www.postgresql.org/docs/current/catalog-pg-constraint.html
CONSTRAINT = """
    SELECT contype::text, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''),
           confrelid = to_regclass($3),
           ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, place)
                 JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place),
           ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(number, place)
                 JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY place)
    FROM pg_constraint WHERE conrelid = to_regclass($1) AND conname = $2
"""


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
        """
        columns = ([*local_cols], [*remote_cols])
        if not on_postgresql(operations):
            with operations.batch_alter_table(source_table, schema=source_schema) as batch:
                batch.create_foreign_key(constraint_name, referent_table, *columns, **kw)
            return

        def same(found: Sequence[Any]) -> bool:
            kind, _text, is_referent, *found_columns = found
            return bool(kind == "f" and is_referent and tuple(found_columns) == columns)

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
        """
        if not on_postgresql(operations):
            with operations.batch_alter_table(table_name, schema=schema) as batch:
                batch.create_unique_constraint(constraint_name, [*columns])
            return
        wanted = ops.CreateUniqueConstraintOp(constraint_name, table_name, columns, schema=schema)
        table, name = quoted_table(operations, table_name, schema), final_name(operations, wanted)
        with committing(operations.migration_context):
            found = look(operations, table, name)
            if found and (found[0], found[3]) != ("u", [*columns]):
                raise is_another(name, found)
            if found:
                online.log.info("constraint %s: there already, from an attempt before; kept", name)
                return
            online.IndexOnline.create_index_online(
                operations, operations.f(name), table_name, columns, schema=schema, unique=True
            )
            name = quoted(operations, name)
            run(operations, f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def add_check(
    operations: Operations, constraint: str, table: str, condition: Any, schema: str | None
) -> None:
    """Add a CHECK on PostgreSQL; see `create_check_constraint_online`."""

    def same(found: Sequence[Any]) -> bool:
        with likeness(operations, quoted_table(operations, table, schema)) as temporary:
            name = operations.f("migrator_check")
            operations.create_check_constraint(name, temporary, condition)
            like = look(operations, f"pg_temp.{temporary}", name)
            return like is not None and found[:2] == like[:2]

    wanted = ops.CreateCheckConstraintOp(
        constraint, table, condition, schema=schema, postgresql_not_valid=True
    )
    add_and_validate(operations, wanted, quoted_table(operations, table, schema), same)


def add_and_validate(
    operations: Operations,
    wanted: ops.AddConstraintOp,
    table: str,
    same: Callable[[Sequence[Any]], bool],
    referent: str | None = None,
) -> None:
    """Do what is left of the two steps; what exists under the name must be the `same`."""
    context = operations.migration_context
    name = final_name(operations, wanted)
    with committing(context):
        found = look(operations, table, name, referent)
        if found is None:
            operations.invoke(wanted)
        elif not same(found):
            raise is_another(name, found)
        name = quoted(operations, name)
        try:
            # Nothing to do for one that is valid: an earlier attempt got as far.
            run(operations, f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        except IntegrityError:
            # The rows there break it. Unproved it would still refuse new ones of the kind.
            run(operations, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            raise


def look(
    operations: Operations, table: str, name: str, referent: str | None = None
) -> Sequence[Any] | None:
    """The constraint of a name: kind, text, whether it refers to `referent`, columns of both."""
    rows = [] if offline(operations) else run(operations, CONSTRAINT, table, name, referent)
    return tuple(rows[0]) if rows else None


def final_name(operations: Operations, wanted: ops.AddConstraintOp) -> str:
    """Its name in the database, with the prefix of the naming convention."""
    context = operations.migration_context
    return str(_get_constraint_final_name(wanted.to_constraint(context), context.dialect))


def is_another(name: str, found: Sequence[Any]) -> CommandError:
    """What exists under that name is not what was asked for."""
    return CommandError(
        f"constraint {name} exists and is another one: {found[1]}; "
        "drop it first, or change the name"
    )
