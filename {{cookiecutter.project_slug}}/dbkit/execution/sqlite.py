"""SQLite: a run of migrations is one transaction, and loses no row that another refers to."""

import logging
from collections import Counter
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)


def prepare_for_migrations(engine: AsyncEngine) -> None:
    """Begin each transaction here: Python would begin none before DDL, and none inside another.

    A connection with the execution option `writes` begins with IMMEDIATE, which waits for another
    writer at the start; a transaction that began by reading could only fail later. Foreign keys are
    off: batch mode copies a table and drops the original, which would delete or break the rows that
    refer to it. Both: https://www.sqlite.org/lang_transaction.html section 2.2,
    https://www.sqlite.org/lang_altertable.html section 7.
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


async def end_transaction(connection: AsyncConnection) -> None:
    """Roll back also what failed at its COMMIT, because somebody still reads.

    SQLAlchemy takes such a transaction for ended. SQLite keeps it, with its locks.
    """
    await connection.rollback()
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    if driver.in_transaction:
        await driver.rollback()


Broken = Counter[tuple[str, str]]


def broken_references(connection: Connection) -> Broken:
    """How many rows of a table refer to a row that another does not have.

    https://www.sqlite.org/pragma.html#pragma_foreign_key_check
    """
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check")
    return Counter((row[0], row[2]) for row in rows)


def broken_before(connection: Connection) -> Broken | None:
    """The same before a run; None where it cannot be told.

    A foreign key to columns without a unique index is one that SQLite creates and cannot check.
    https://www.sqlite.org/foreignkeys.html#fk_indexes
    """
    try:
        return broken_references(connection)
    except OperationalError as error:
        if "foreign key mismatch" not in str(error.orig):
            raise
        log.warning("no foreign key can be checked after the run: %s", error.orig)
        return None


def check_foreign_keys(connection: Connection, before: Broken | None) -> None:
    """Raise `CommandError`, before anything is committed, if more references are broken now."""
    if before is None:
        return
    for table, parent in broken_references(connection) - before:
        raise CommandError(
            f"a row of {table} refers to a row that {parent} does not have; nothing was changed"
        )
