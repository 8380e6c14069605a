"""State left by an interrupted attempt at a column, and whether adding one rewrites the table."""

from typing import Any, NamedTuple

from alembic.operations import Operations
from alembic.util import CommandError
from sqlalchemy import Column

from dbkit.operations.sql import execute, is_offline, quote, quote_table
from dbkit.operations.temporary_copy import TEMPORARY_SCHEMA, temporary_copy

# https://www.postgresql.org/docs/current/catalog-pg-attribute.html
COLUMN = """
    SELECT format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid),
        atthasmissing, typtype = 'd'
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = to_regclass($1) AND attname = ($2::text)::name AND NOT attisdropped
"""


class ExistingColumn(NamedTuple):
    """A column of the database."""

    type: str
    not_null: bool
    default: str | None
    has_constant_default: bool  # rows that existed before show it without having been written
    is_domain: bool


def find_column(operations: Operations, table: str, column: str) -> ExistingColumn | None:
    """Return a column of a quoted table; None if there is none, or offline."""
    rows = [] if is_offline(operations) else execute(operations, COLUMN, table, column)
    return ExistingColumn(*rows[0]) if rows else None


def needs_backfill(
    operations: Operations, table_name: str, schema: str | None, column: Column[Any]
) -> bool:
    """Tell whether adding the column with its default would rewrite the table.

    The server answers, which adds the column to an empty copy. Offline any default with a
    parenthesis counts, since it may call a volatile function.

    Raises:
        CommandError: the column exists with another definition, or is added by a table rewrite
            in any case.
    """
    if is_offline(operations):
        return column.server_default is not None and "(" in default_sql(operations, column)
    table, name = quote_table(operations, table_name, schema), quote(operations, column.name)
    found = find_column(operations, table, column.name)
    with temporary_copy(operations, table_name, schema) as temporary:
        if found:
            execute(operations, f"ALTER TABLE {temporary} DROP COLUMN {name}")
        operations.add_column(table_name, column, schema=TEMPORARY_SCHEMA)
        wanted = find_column(operations, temporary, column.name)
    assert wanted is not None  # noqa: S101 - it has just been added
    if wanted.is_domain:
        raise CommandError(
            f"{table_name}.{column.name}: a column of a domain is added by a table rewrite; use "
            "the domain's base type, and add a CHECK by an operation of its own"
        )
    backfill = column.server_default is not None and not wanted.has_constant_default
    if found and not _is_wanted(found, wanted, may_be_unfinished=backfill):
        default = f" DEFAULT {found.default}" if found.default else ""
        not_null = " NOT NULL" if found.not_null else ""
        raise CommandError(
            f"column {column.name} of {table} exists with another definition: "
            f"{found.type}{default}{not_null}; drop it first, or choose another name"
        )
    return backfill


def _is_wanted(found: ExistingColumn, wanted: ExistingColumn, *, may_be_unfinished: bool) -> bool:
    """Tell whether `found` is `wanted`, or on the way: its default and NOT NULL come later."""
    return bool(
        found.type == wanted.type
        and (found.default == wanted.default or (may_be_unfinished and found.default is None))
        and (found.not_null == wanted.not_null or (may_be_unfinished and not found.not_null))
    )


def default_sql(operations: Operations, column: Column[Any]) -> str:
    """Return the server default of a column as SQL."""
    dialect = operations.migration_context.dialect
    compiler = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type] # no statement
    return str(compiler.get_column_default_string(column))
