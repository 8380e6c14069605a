"""State left by an interrupted attempt at a concurrent index: none, invalid, or finished.

https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from alembic.operations import Operations, ops
from alembic.util import CommandError

from dbkit.operations.sql import (
    execute,
    is_offline,
    log,
    quote,
    quote_table,
    session_setting,
)
from dbkit.operations.temporary_copy import TEMPORARY_SCHEMA, temporary_copy

# https://www.postgresql.org/docs/current/catalog-pg-index.html
INDEX = """
    SELECT i.indisvalid, i.indrelid = to_regclass($1), pg_get_indexdef(c.oid)
    FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relname = ($2::text)::name  -- cut, as the name that it gets
      AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass($1))
"""
SCHEMA = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass($1)"


def drop_index(operations: Operations, operation: ops.CreateIndexOp, name: str) -> None:
    """Drop an index concurrently, if it exists, in the schema of its table.

    The schema is looked up, because the search path may lead to an index of another one.
    """
    table = quote_table(operations, operation.table_name, operation.schema)
    for (schema,) in execute(operations, SCHEMA, table):
        index = f"{schema}.{quote(operations, name)}"
        execute(operations, f"DROP INDEX CONCURRENTLY IF EXISTS {index}")


def keep_or_drop(operations: Operations, operation: ops.CreateIndexOp, name: str) -> bool:
    """Return whether the index is finished; drop it if it was left invalid.

    Raises:
        CommandError: an index of that name exists with another definition.
    """
    if is_offline(operations):
        return False
    table = quote_table(operations, operation.table_name, operation.schema)
    found = execute(operations, INDEX, table, name)
    if not found:
        return False
    is_valid, is_on_table, definition = found[0]
    if is_on_table and not is_valid:
        log.info("index %s: an interrupted attempt left it invalid; dropped", name)
        with session_setting(operations, "lock_timeout", "0"):
            drop_index(operations, operation, name)
        return False
    if is_on_table and _without_names(definition) == _wanted_definition(operations, operation):
        log.info("index %s: exists already, with this definition; kept", name)
        return True
    raise CommandError(
        f"index {name} exists with another definition: {definition}; "
        "drop it first, or choose another name"
    )


def _wanted_definition(operations: Operations, operation: ops.CreateIndexOp) -> tuple[str, str]:
    kw = {name: value for name, value in operation.kw.items() if "concurrently" not in name}
    with temporary_copy(operations, operation.table_name, operation.schema):
        index = ops.CreateIndexOp(
            "migrator_index",
            operation.table_name,
            operation.columns,
            schema=TEMPORARY_SCHEMA,
            unique=operation.unique,
            **kw,
        )
        operations.impl.create_index(index.to_index(operations.migration_context))
        [(definition,)] = execute(
            operations, f"SELECT pg_get_indexdef('{TEMPORARY_SCHEMA}.migrator_index'::regclass)"
        )
    return _without_names(definition)


def _without_names(definition: str) -> tuple[str, str]:
    """Return whether it is unique, and all that follows the names of the index and its table."""
    return definition.split(" INDEX ")[0], definition.partition(" USING ")[2]
