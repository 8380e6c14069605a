"""What an attempt before has left of a concurrent index: nothing, an invalid one, or all of it."""

from alembic.operations import Operations, ops
from alembic.util import CommandError

from dbkit.operations.statements import (
    TEMPORARY,
    likeness,
    log,
    offline,
    quoted,
    quoted_table,
    run,
    setting,
)

# https://www.postgresql.org/docs/current/catalog-pg-index.html
INDEX = """
    SELECT i.indisvalid, i.indrelid = to_regclass($1), pg_get_indexdef(c.oid)
    FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relname = $2
      AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass($1))
"""
SCHEMA = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass($1)"


def drop(operations: Operations, operation: ops.CreateIndexOp, name: str) -> None:
    """Drop the index of that name in the schema of its table, wherever the search path leads."""
    table = quoted_table(operations, operation.table_name, operation.schema)
    for (schema,) in run(operations, SCHEMA, table):
        index = f"{schema}.{quoted(operations, name)}"
        run(operations, f"DROP INDEX CONCURRENTLY IF EXISTS {index}")


def is_there(operations: Operations, operation: ops.CreateIndexOp, name: str) -> bool:
    """Whether an earlier attempt finished the index and was ended before it could say so."""
    if offline(operations):
        return False
    table = quoted_table(operations, operation.table_name, operation.schema)
    found = run(operations, INDEX, table, name)
    if not found:
        return False
    valid, of_table, definition = found[0]
    if of_table and not valid:
        log.info("index %s: an attempt before left it invalid; dropped, and begun anew", name)
        with setting(operations, "lock_timeout", "0"):
            drop(operations, operation, name)
        return False
    if of_table and _meaning(definition) == _wanted(operations, operation):
        log.info("index %s: there already, from an attempt before; kept", name)
        return True
    raise CommandError(
        f"index {name} exists and is another one: {definition}; drop it first, or change the name"
    )


def _wanted(operations: Operations, operation: ops.CreateIndexOp) -> tuple[str, str]:
    kw = {name: value for name, value in operation.kw.items() if "concurrently" not in name}
    with likeness(operations, operation.table_name, operation.schema):
        index = ops.CreateIndexOp(
            "migrator_index",
            operation.table_name,
            operation.columns,
            schema=TEMPORARY,
            unique=operation.unique,
            **kw,
        )
        operations.impl.create_index(index.to_index(operations.migration_context))
        [(definition,)] = run(
            operations, "SELECT pg_get_indexdef('pg_temp.migrator_index'::regclass)"
        )
    return _meaning(definition)


def _meaning(definition: str) -> tuple[str, str]:
    """Unique or not, and all that follows the names of index and table."""
    return definition.split(" INDEX ")[0], definition.partition(" USING ")[2]
