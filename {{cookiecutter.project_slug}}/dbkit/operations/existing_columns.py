"""What an attempt before has left of a column, and whether the server writes rows for it."""

from typing import Any

from alembic.operations import Operations
from alembic.util import CommandError
from sqlalchemy import Column

from dbkit.operations.statements import TEMPORARY, likeness, offline, quoted, quoted_table, run

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


def look_at(operations: Operations, table: str, column: str) -> Any:
    """A column: see `COLUMN`; None where there is none, and where nothing can be asked."""
    rows = [] if offline(operations) else run(operations, COLUMN, table, column)
    return rows[0] if rows else None


def needs_steps(
    operations: Operations, table_name: str, schema: str | None, column: Column[Any]
) -> bool:
    """Whether adding the column at once would write to every row: the server is asked.

    Raises:
        CommandError: the column exists and is another one, or it would be written in any case.
    """
    if offline(operations):  # a call, which may be volatile
        return column.server_default is not None and "(" in default_of(operations, column)
    table, name = quoted_table(operations, table_name, schema), quoted(operations, column.name)
    found = look_at(operations, table, column.name)
    with likeness(operations, table_name, schema) as temporary:
        if found:
            run(operations, f"ALTER TABLE {temporary} DROP COLUMN {name}")
        operations.add_column(table_name, column, schema=TEMPORARY)
        wanted = look_at(operations, temporary, column.name)
    if wanted.domain:
        raise CommandError(
            f"{table_name}.{column.name}: a domain's rules are checked by writing every row; take "
            "the type below it, and a CHECK by an operation of its own"
        )
    steps = column.server_default is not None and not wanted.constant
    if found and not _is_on_the_way(found, wanted, steps=steps):
        default = f" DEFAULT {found.default}" if found.default else ""
        not_null = " NOT NULL" if found.not_null else ""
        raise CommandError(
            f"column {column.name} of {table} exists and is another one, "
            f"{found.kind}{default}{not_null}; drop it first, or change the name"
        )
    return steps


def _is_on_the_way(found: Any, wanted: Any, *, steps: bool) -> bool:
    """Whether an attempt before has made `found`; in steps, perhaps not all of it."""
    return bool(
        found.kind == wanted.kind
        and (found.default == wanted.default or (steps and found.default is None))
        and (found.not_null == wanted.not_null or (steps and not found.not_null))
    )


def default_of(operations: Operations, column: Column[Any]) -> str:
    """The default that a column gets, as SQL."""
    dialect = operations.migration_context.dialect
    return str(dialect.ddl_compiler(dialect, None).get_column_default_string(column))  # type: ignore[arg-type] # no statement
