"""Compares computed columns, whose change no revision of autogenerate's can express.

A plug-in of Alembic's. Its own comparison warns, with the text as the only thing to recognise the
warning by, and compares texts, where PostgreSQL rewrites expressions.
https://alembic.sqlalchemy.org/en/latest/api/plugins.html
"""

import re
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Column, Computed, Connection, Dialect, text
from sqlalchemy.exc import DBAPIError

NAME = "dbkit.computed_columns"

# https://www.postgresql.org/docs/current/catalog-pg-attrdef.html
EXPRESSIONS = text("""
    SELECT DISTINCT pg_get_expr(adbin, adrelid) FROM pg_attrdef
    JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    WHERE attname = :column AND attgenerated <> ''
      AND adrelid IN ('pg_temp.compared_columns'::regclass, CAST(:table AS regclass))
""")


def compare(
    context: AutogenContext,
    _alter: Any,
    _schema: str | None,
    table: str,
    name: str,
    found: Column[Any],
    wanted: Column[Any],
) -> PriorityDispatchResult:
    """Note a computed column that differs in `changes_by_hand`, an option of `configure`."""
    if found.computed is None and wanted.computed is None:
        return PriorityDispatchResult.CONTINUE
    if not _is_same(context, found, wanted):
        context.opts["changes_by_hand"].append(
            f"{table}.{name} cannot be modified by autogenerate: it is computed in one way in the "
            "models, and in another or not at all in the database; drop and add it in a revision "
            "of your own"
        )
    return PriorityDispatchResult.STOP


def _is_same(context: AutogenContext, found: Column[Any], wanted: Column[Any]) -> bool:
    if found.computed is None or wanted.computed is None:
        return False
    dialect, connection = context.migration_context.dialect, context.connection
    texts = [_expression(computed, dialect) for computed in (found.computed, wanted.computed)]
    if len({re.sub(r"""[\s()"'`\[\]]""", "", expression).lower() for expression in texts}) == 1:
        return True
    if dialect.name != "postgresql" or connection is None:
        return False
    return _is_same_to_server(connection, found, texts[1])


def _expression(computed: Computed, dialect: Dialect) -> str:
    literals = {"literal_binds": True, "include_table": False}
    return str(computed.sqltext.compile(dialect=dialect, compile_kwargs=literals))


def _is_same_to_server(connection: Connection, column: Column[Any], expression: str) -> bool:
    """Let PostgreSQL write the wanted expression for a temporary table, and compare."""
    preparer = connection.dialect.identifier_preparer
    table, name = preparer.format_table(column.table), preparer.format_column(column)
    kind = column.type.compile(dialect=connection.dialect)
    attempt = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"CREATE TEMP TABLE compared_columns (LIKE {table})")
        connection.exec_driver_sql(f"ALTER TABLE pg_temp.compared_columns DROP COLUMN {name}")
        connection.exec_driver_sql(
            f"ALTER TABLE pg_temp.compared_columns ADD COLUMN {name} {kind} "
            f"GENERATED ALWAYS AS ({expression}) STORED"
        )
        rows = connection.execute(EXPRESSIONS, {"column": column.name, "table": table}).all()
    except DBAPIError:  # a column that is still to be added, or no right to temporary tables
        return False
    finally:
        attempt.rollback()
    return len(rows) == 1


Plugin(NAME).add_autogenerate_comparator(
    compare, "column", "server_default", priority=DispatchPriority.FIRST
)
