"""SQLite: a run is one transaction, and loses no row that another row refers to."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dbkit.errors import error_text, sqlite_code

log = logging.getLogger("alembic.migrator")


def prepare_engine(engine: AsyncEngine) -> None:
    """Let `engine` begin each transaction with a statement of its own, and ignore foreign keys.

    Python's driver would begin none before DDL, and SQLAlchemy leaves it to the driver. A
    connection with the execution option `writes` begins with IMMEDIATE, which waits for another
    writer at the start; a transaction that began by reading could only fail later.
    https://www.sqlite.org/lang_transaction.html#deferred_immediate_and_exclusive_transactions

    Batch mode copies a table and drops the original: with foreign keys on, that would delete or
    break the rows that refer to it. https://www.sqlite.org/lang_altertable.html#otheralter
    """

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = OFF")  # no effect inside a transaction
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


async def roll_back(connection: AsyncConnection) -> None:
    """Roll back, also a transaction whose COMMIT failed because another process still reads.

    SQLAlchemy takes such a transaction for ended; SQLite keeps it, with its locks.
    """
    await connection.rollback()
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    if driver.in_transaction:
        await driver.rollback()


# Pragmas of a connection that outlive a transaction, and that SQLite 3.26 knows, as RHEL 8 has it:
# https://www.sqlite.org/pragma.html
PRAGMAS = (
    "cell_size_check",
    "defer_foreign_keys",
    "ignore_check_constraints",
    "legacy_alter_table",
    "query_only",
    "recursive_triggers",
    "reverse_unordered_selects",
    "writable_schema",
)


def session_restorer(connection: Connection) -> Callable[[Connection], None]:
    """Return a function that gives a connection the pragmas back that it has now."""
    read = f"SELECT * FROM {', '.join(f'pragma_{name}' for name in PRAGMAS)}"
    before = connection.exec_driver_sql(read).one()

    def restore(connection: Connection) -> None:
        now = connection.exec_driver_sql(read).one()
        for name, old, new in zip(PRAGMAS, before, now, strict=True):
            if old != new:
                connection.exec_driver_sql(f"PRAGMA {name} = {old}")

    return restore


BrokenReferences = Counter[tuple[str, str]]


def count_broken_references(connection: Connection) -> BrokenReferences:
    """Count, by table and parent table, the rows that refer to a row that is not there.

    https://www.sqlite.org/pragma.html#pragma_foreign_key_check
    """
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check")
    return Counter((row[0], row[2]) for row in rows)


def broken_references_before(connection: Connection) -> BrokenReferences | None:
    """Count them before a run; None where SQLite cannot.

    A foreign key to columns without a unique index is one that SQLite creates and cannot check.
    https://www.sqlite.org/foreignkeys.html#fk_indexes
    """
    try:
        return count_broken_references(connection)
    except OperationalError as error:
        if sqlite_code(error) != sqlite3.SQLITE_ERROR:
            raise
        log.warning("no foreign key can be checked after the run: %s", error_text(error))
        return None


def check_references(connection: Connection, before: BrokenReferences | None) -> None:
    """Raise `CommandError`, before anything is committed, if more references are broken now."""
    if before is None:
        return
    for table, parent in count_broken_references(connection) - before:
        raise CommandError(
            f"a row of {table} refers to a row that {parent} does not have; nothing was changed"
        )
