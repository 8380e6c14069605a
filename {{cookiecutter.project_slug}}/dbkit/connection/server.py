"""The server around a database: connect beside it, create it, drop it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import NullPool
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import IdentifierPreparer

from dbkit.connection.engine import create_engine
from dbkit.connection.url import DatabaseURL
from dbkit.errors import sqlstate

# SQLSTATE of a database that was dropped, and of one that roles may not enter.
CLOSED_TO_US = ("3D000", "42501")


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return IdentifierPreparer(DefaultDialect()).quote_identifier(name)


@asynccontextmanager
async def connect(
    database: DatabaseURL, *, autocommit: bool = True
) -> AsyncIterator[AsyncConnection]:
    """One connection without a pool, by default in autocommit mode, which DDL on databases needs.

    Raises: whatever the driver raises; see `dbkit.connection.failures`.
    """
    isolation = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    engine = create_engine(database, poolclass=NullPool, **isolation)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


@asynccontextmanager
async def connect_beside(database: DatabaseURL) -> AsyncIterator[AsyncConnection]:
    """`connect` to another database of the server, one that each server has from the start."""
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(connect(database.named("postgres")))
        except DBAPIError as error:
            if sqlstate(error) not in CLOSED_TO_US:
                raise
            connection = await stack.enter_async_context(connect(database.named("template1")))
        yield connection


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
