"""SQL of the online operations: executed at once, or written down for `--sql`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.operations import BatchOperations, Operations
from alembic.util import CommandError
from sqlalchemy import Constraint, Index, table

from dbkit.errors import is_connection_lost

log = logging.getLogger("alembic.migrator")


def works_online(operations: Operations) -> bool:
    """Tell whether an operation can go online: on PostgreSQL, outside of batch mode.

    On SQLite any writer locks the whole database, so there is nothing to gain.
    """
    is_batch = isinstance(operations, BatchOperations)
    return operations.migration_context.dialect.name == "postgresql" and not is_batch


def is_offline(operations: Operations) -> bool:
    """Tell whether SQL is written down for somebody else to run: no query has an answer then."""
    return operations.migration_context.as_sql


def execute(operations: Operations, sql: str, *values: Any) -> list[Any]:
    """Execute SQL in which a colon begins no parameter; return the rows.

    Offline the SQL is written down, and there are no rows.

    Args:
        values: the driver's own parameters, `$1` and so on.
    """
    if is_offline(operations):
        impl = operations.migration_context.impl
        impl.static_output(sql + impl.command_terminator)
        return []
    result = operations.get_bind().exec_driver_sql(sql, values or None)
    return list(result.all()) if result.returns_rows else []


@contextmanager
def execute_afterwards(
    operations: Operations, sql: str, *, on_error: str | None = None
) -> Iterator[None]:
    """Execute `sql` when the block is done; `on_error`, or else `sql` too, when it has failed.

    Nothing is executed if the connection is lost, nor if the process is told to end: that is no
    `Exception`, and the server undoes what is open when the connection closes.
    """
    try:
        yield
    except Exception as error:
        if not is_connection_lost(error):
            execute(operations, on_error or sql)
        raise
    execute(operations, sql)


def quote(operations: Operations, name: str) -> str:
    """Return a name as SQL needs it, in quotes if necessary."""
    return operations.migration_context.dialect.identifier_preparer.quote(name)


def quote_table(operations: Operations, name: str, schema: str | None) -> str:
    """Return the name of a table as SQL needs it, with its schema if there is one."""
    preparer = operations.migration_context.dialect.identifier_preparer
    return preparer.format_table(table(name, schema=schema))


def final_name(operations: Operations, item: Constraint | Index) -> str:
    """Return the name that the database will have: by the naming convention, shortened, unquoted.

    Raises:
        CommandError: it has no name, by which a repeated attempt could find it.
    """
    preparer = operations.migration_context.dialect.identifier_preparer
    formatted = None if item.name is None else preparer.format_constraint(item)
    if formatted is None:
        raise CommandError("an online operation needs the name of its constraint or index")
    [name] = preparer.unformat_identifiers(formatted)
    return name


@contextmanager
def session_setting(operations: Operations, name: str, value: str) -> Iterator[None]:
    """Change a setting of the session for the block, and restore what it was before.

    It does so in SQL alone, so that a script which somebody else runs does the same.
    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SET
    """
    restore = f"SELECT set_config('{name}', current_setting('migrator.{name}'), false)"
    execute(operations, f"SELECT set_config('migrator.{name}', current_setting('{name}'), false)")
    execute(operations, f"SET {name} = {value}")
    with execute_afterwards(operations, restore):
        yield


@contextmanager
def short_exclusive_lock(operations: Operations, table: str) -> Iterator[None]:
    """Open a transaction for a statement that locks out everybody for a moment.

    Autovacuum gives way to a waiting statement, but only after `deadlock_timeout`, a second by
    default; for so long, every reader and writer would queue behind an ACCESS EXCLUSIVE lock.
    Autovacuum gives way to SHARE UPDATE EXCLUSIVE too, behind which no reader or writer queues: so
    this lock is taken first.
    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
    """
    execute(operations, "BEGIN")
    with execute_afterwards(operations, "COMMIT", on_error="ROLLBACK"):
        execute(operations, f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        yield
