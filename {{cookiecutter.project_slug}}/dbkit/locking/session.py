"""The session of a migration on PostgreSQL: what is set in it, and restored after revisions."""

import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL
from dbkit.locking.pooler import give_back, keeps_session
from dbkit.settings import DatabaseSettings

# Nothing is set in a session that a pooler lent: it would keep the settings for others. What the
# server does not know is left out. client_connection_check_interval ends the statement of a client
# that is gone, where the server's system can tell (macOS cannot before PostgreSQL 15).
# https://www.postgresql.org/docs/current/runtime-config-connection.html
PREPARE = text("""
SELECT pg_backend_pid() AS pid, current_database() AS database,
    pg_is_in_recovery() AS is_standby,
    current_setting('transaction_read_only')::bool AS is_read_only,
    ARRAY(SELECT name FROM unnest(CAST(:tables AS text[])) AS ours (name)
          WHERE row_security_active(to_regclass(name))) AS hidden,
    ARRAY(
    SELECT name FROM unnest(CAST(:names AS text[]), CAST(:values AS text[])) AS wanted (name, value)
    JOIN pg_settings USING (name)
    WHERE CASE
        WHEN pg_backend_pid() <> :pid THEN false
        WHEN name = 'client_connection_check_interval' AND version() !~* 'linux' THEN false
        WHEN name = 'application_name' AND setting <> '' THEN false
        ELSE set_config(name, value, false) IS NOT NULL
    END
) AS names
""")
# DISCARD ALL would release the advisory lock, too.
# https://www.postgresql.org/docs/current/sql-discard.html
RESTORE = (
    "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; "
    "CLOSE ALL; UNLISTEN *; DEALLOCATE ALL; DISCARD TEMP"
)


@dataclass(frozen=True)
class MigrationSession:
    """A connection that migrates: its process in the server, its database, what is set in it."""

    pid: int
    database: str
    settings: dict[str, str]

    def restore(self, connection: Connection) -> None:
        """Give the session back what a revision has changed, in the transaction that is open.

        The statements go past SQLAlchemy in one round trip; none of them waits for a lock.
        """
        values = (
            f"set_config('{name}', {quote(text)}, false)" for name, text in self.settings.items()
        )
        script = f"{RESTORE}; SELECT {', '.join(values)}"
        adapted: Any = connection.connection.dbapi_connection
        adapted.run_async(lambda driver: driver.execute(script))


def quote(value: str) -> str:
    """Return an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


@asynccontextmanager
async def migration_session(
    connection: AsyncConnection,
    database: DatabaseURL,
    settings: DatabaseSettings,
    tables: Sequence[str],
) -> AsyncIterator[MigrationSession]:
    """Set in `connection` what a migration needs, whatever the role or the database sets.

    A session that a pooler lent is given back without the settings and the lock.

    Args:
        tables: those of the migrations, as SQL names them; they need not be there.

    Raises:
        CommandError: the session cannot write, or not see what ran, or it is a pooler's in
            transaction mode: that would give each transaction another session, and leave the lock
            with a session of others.
    """
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    pid = told = driver.get_server_pid()
    wanted = needed_settings(settings)
    row = await _prepare(connection, pid, wanted, tables)
    if row.pid != told and not await keeps_session(driver, row.pid, database):
        raise CommandError(
            "a connection pooler in transaction mode stands before the database, and locks do not "
            "hold through it: set MIGRATION_DATABASE_URL to the database's own address, or to the "
            "pooler's session mode; nothing was changed"
        )
    _check(row)
    if row.pid != told:  # nothing is set yet
        row = await _prepare(connection, row.pid, wanted, tables)
    kept = {name: wanted[name] for name in row.names}
    try:
        yield MigrationSession(row.pid, row.database, kept)
    finally:
        if row.pid != told:
            await give_back(connection, driver, f"{RESTORE}; SELECT pg_advisory_unlock_all()")


async def _prepare(
    connection: AsyncConnection, pid: int, wanted: dict[str, str], tables: Sequence[str]
) -> Row[Any]:
    """Look at the session, and set `wanted` if it is that of process `pid`."""
    arguments = {"pid": pid, "names": [*wanted], "values": [*wanted.values()], "tables": [*tables]}
    row = (await connection.execute(PREPARE, arguments)).one()
    await connection.commit()
    return row


def _check(row: Row[Any]) -> None:
    """Raise `CommandError` if the session cannot write, or not see what ran."""
    if row.is_standby:
        raise CommandError(
            "the server is a standby, which only reads: set MIGRATION_DATABASE_URL to that of "
            "the primary; nothing was changed"
        )
    if row.is_read_only:
        raise CommandError(
            f"{row.database} is read-only by default (default_transaction_read_only is on, for the "
            "database or for this user): let this user write; nothing was changed"
        )
    if row.hidden:
        raise CommandError(
            f"row-level security hides rows of {', '.join(row.hidden)} from this user, who cannot "
            "tell what ran: let the owner migrate, or type ALTER TABLE … DISABLE ROW LEVEL "
            "SECURITY; nothing was changed"
        )


def needed_settings(settings: DatabaseSettings) -> dict[str, str]:
    """Return what a migration's session needs, by PostgreSQL's names.

    https://www.postgresql.org/docs/current/runtime-config-client.html
    """
    return {
        "lock_timeout": f"{settings.migration_lock_timeout * 1000:.0f}ms",
        "statement_timeout": f"{settings.migration_timeout * 1000:.0f}ms",
        # A run pauses between two attempts, and in a backfill between two batches.
        "idle_session_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "transaction_timeout": "0",
        "client_connection_check_interval": "500ms",
        "application_name": f"migration on {socket.gethostname()} ({os.getpid()})"[:63],
        # Alembic writes literals for it, and expects to read what others have committed.
        "standard_conforming_strings": "on",
        "default_transaction_isolation": "read committed",
        "default_transaction_deferrable": "off",
    }
