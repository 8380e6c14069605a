"""What the online operations have in common: SQL as it stands, executed or written down."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.operations import BatchOperations, Operations
from sqlalchemy import table
from sqlalchemy.exc import DBAPIError

log = logging.getLogger("alembic.migrator")

TEMPORARY = "pg_temp"  # https://www.postgresql.org/docs/current/runtime-config-client.html


def on_postgresql(operations: Operations) -> bool:
    """Whether there is anything to do online: SQLite is locked as a whole by any writer."""
    is_batch = isinstance(operations, BatchOperations)
    return operations.migration_context.dialect.name == "postgresql" and not is_batch


def offline(operations: Operations) -> bool:
    """Whether SQL is written for somebody else to run; nothing can be asked then."""
    return operations.migration_context.as_sql


def run(operations: Operations, sql: str, *values: Any) -> list[Any]:
    """Execute SQL as it stands, in which a colon is no parameter, and return the rows.

    Offline it is written down, and there are none.
    """
    if offline(operations):
        impl = operations.migration_context.impl
        impl.static_output(sql + impl.command_terminator)
        return []
    result = operations.get_bind().exec_driver_sql(sql, values or None)
    return list(result.all()) if result.returns_rows else []


def quoted(operations: Operations, name: str) -> str:
    """A name as SQL has it."""
    return operations.migration_context.dialect.identifier_preparer.quote(name)


def quoted_table(operations: Operations, name: str, schema: str | None) -> str:
    """The name of a table as SQL has it, behind that of its schema."""
    preparer = operations.migration_context.dialect.identifier_preparer
    return preparer.format_table(table(name, schema=schema))


@contextmanager
def setting(operations: Operations, name: str, value: str) -> Iterator[None]:
    """A setting of the session that is as before afterwards, whatever it was.

    In SQL alone, so that a script which somebody else runs does the same.
    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SET
    """
    back = f"SELECT set_config('{name}', current_setting('migrator.{name}'), false)"
    run(operations, f"SELECT set_config('migrator.{name}', current_setting('{name}'), false)")
    run(operations, f"SET {name} = {value}")
    try:
        yield
    except Exception as error:
        if not is_lost(error):
            run(operations, back)
        raise
    run(operations, back)


@contextmanager
def after_autovacuum(operations: Operations, table: str) -> Iterator[None]:
    """A transaction for a statement that stops everybody for a moment.

    Autovacuum gives way to whoever waits for it, after `deadlock_timeout`, which is a second; so
    long everybody would queue behind the statement. It gives way to this lock as well, and behind
    this one no reader and no writer queues.
    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
    """
    run(operations, "BEGIN")
    try:
        run(operations, f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        yield
    except Exception as error:
        if not is_lost(error):
            run(operations, "ROLLBACK")
        raise
    run(operations, "COMMIT")


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, and nothing can be put right with it."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


@contextmanager
def likeness(operations: Operations, name: str, schema: str | None) -> Iterator[str]:
    """An empty temporary table like another, of the same name, in the schema `TEMPORARY`.

    The server rewrites what it is given (`x IN (1, 2)` becomes `x = ANY …`): whether two things
    are the same is seen by having it rewrite both. Locks of the original only its shape.
    """
    original, temporary = (quoted_table(operations, name, where) for where in (schema, TEMPORARY))
    run(operations, f"CREATE TEMPORARY TABLE {temporary} (LIKE {original})")
    try:
        yield temporary
    except Exception as error:
        if not is_lost(error):
            run(operations, f"DROP TABLE {temporary}")
        raise
    run(operations, f"DROP TABLE {temporary}")
