"""Columns of PostgreSQL tables that are in use: `op.add_column_online`, `op.set_not_null_online`.

On SQLite they are ordinary changes in batch mode.
"""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations, ops
from alembic.util import CommandError
from sqlalchemy import Column, Enum

from app.migrator.backfill import BATCH, PAUSE, Backfill
from app.migrator.kinds import operation as committing
from app.migrator.statements import (
    TEMPORARY,
    likeness,
    offline,
    on_postgresql,
    quoted,
    quoted_table,
    run,
)
from app.migrator.two_steps import add_check, look

# The type, whether NULL is refused, the default, whether rows that were there before have got it
# without being written, and whether the type is a domain:
# https://www.postgresql.org/docs/current/catalog-pg-attribute.html
COLUMN = """
    SELECT format_type(atttypid, atttypmod) AS kind, attnotnull AS not_null,
        pg_get_expr(adbin, adrelid) AS "default", atthasmissing AS constant, typtype = 'd' AS domain
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
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
            if found is None or not found.not_null:
                name = operations.f(helper)
                add_check(operations, name, table_name, f"{column} IS NOT NULL", schema)
                run(operations, f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
            if offline(operations) or _is_ours(look(operations, table, helper), column_name):
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
        with committing(operations.migration_context):
            steps = _needs_steps(operations, table_name, schema, column)
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


def _is_ours(found: Sequence[Any] | None, column: str) -> bool:
    """Whether a constraint is the CHECK of `set_not_null_online`, whatever is quoted there."""
    names = (column, '"' + column.replace('"', '""') + '"')
    return found is not None and found[1] in [f"CHECK (({name} IS NOT NULL))" for name in names]


def _needs_steps(
    operations: Operations, table_name: str, schema: str | None, column: Column[Any]
) -> bool:
    """Whether adding the column at once would write to every row: the server is asked.

    Raises:
        CommandError: the column exists and is another one, or it would be written in any case.
    """
    if offline(operations):  # a call, which may be volatile
        return column.server_default is not None and "(" in _default(operations, column)
    table, name = quoted_table(operations, table_name, schema), quoted(operations, column.name)
    found = _look(operations, table, column.name)
    with likeness(operations, table_name, schema) as temporary:
        if found:
            run(operations, f"ALTER TABLE {temporary} DROP COLUMN {name}")
        operations.add_column(table_name, column, schema=TEMPORARY)
        wanted = _look(operations, temporary, column.name)
    if wanted.domain:
        raise CommandError(
            f"{table_name}.{column.name}: a domain's rules are checked by writing every row; take "
            "the type below it, and a CHECK by an operation of its own"
        )
    steps = column.server_default is not None and not wanted.constant
    if found and not _is_on_the_way(found, wanted, steps=steps):
        rest = (" NOT NULL" if found.not_null else "", f" DEFAULT {found.default}")
        raise CommandError(
            f"column {column.name} of {table} exists and is another one, {found.kind}{rest[0]}"
            f"{rest[1] if found.default else ''}; drop it first, or change the name"
        )
    return steps


def _is_on_the_way(found: Any, wanted: Any, *, steps: bool) -> bool:
    """Whether an attempt before has made `found`; in steps, perhaps not all of it."""
    return bool(
        found.kind == wanted.kind
        and (found.default == wanted.default or (steps and found.default is None))
        and (found.not_null == wanted.not_null or (steps and not found.not_null))
    )


def _default(operations: Operations, column: Column[Any]) -> str:
    dialect = operations.migration_context.dialect
    return str(dialect.ddl_compiler(dialect, None).get_column_default_string(column))  # type: ignore[arg-type] # no statement
