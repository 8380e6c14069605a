"""One connection to a database; create and drop databases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import NullPool, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import IdentifierPreparer

from dbkit.connection.engine import create_engine
from dbkit.connection.url import DatabaseURL

# Set in our own session alone: one that a pooler lends would keep them for others. A server before
# 17 has no transaction_timeout.
# https://www.postgresql.org/docs/current/runtime-config-client.html
LIFT = """
SELECT set_config(name, '0', false)
FROM unnest(ARRAY['statement_timeout', 'transaction_timeout', 'idle_session_timeout',
    'idle_in_transaction_session_timeout']) AS name
WHERE current_setting(name, true) <> '0' AND pg_backend_pid() = {pid}
"""


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return IdentifierPreparer(DefaultDialect()).quote_identifier(name)


@asynccontextmanager
async def connect(
    database: DatabaseURL, *, autocommit: bool = True, keep_limits: bool = False
) -> AsyncIterator[AsyncConnection]:
    """One connection without a pool, by default in autocommit mode, which DDL on databases needs.

    Args:
        keep_limits: leave timeouts that are set for the role or the database, and meant for
            requests, as they are: for what a running service asks.

    Raises: whatever the driver raises; see `dbkit.connection.failures`.
    """
    isolation = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    engine = create_engine(database, poolclass=NullPool, **isolation)
    if database.dialect == "postgresql" and not keep_limits:
        event.listen(engine.sync_engine, "connect", lift_limits)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def lift_limits(connection: Any, _record: object) -> None:
    """Let no timeout for requests end a command: databases are copied, and commands pause."""

    async def lift(driver: Any) -> None:
        await driver.execute(LIFT.format(pid=driver.get_server_pid()))

    connection.run_async(lift)


EMPTY = "template0"  # template1 would have to be free of connections; this one always is


async def create(
    database: DatabaseURL, connection: AsyncConnection, template: str = EMPTY, options: str = ""
) -> None:
    """Create `database`, with options of CREATE DATABASE."""
    await connection.exec_driver_sql(
        f"CREATE DATABASE {quoted(database.name)} TEMPLATE {quoted(template)} {options}"
    )


async def drop(database: DatabaseURL, connection: AsyncConnection) -> None:
    """Drop `database` with all its data, if it is there; open connections to it are closed."""
    await connection.exec_driver_sql(
        f"DROP DATABASE IF EXISTS {quoted(database.name)} WITH (FORCE)"
    )
