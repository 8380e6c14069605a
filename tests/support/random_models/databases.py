"""Databases that random models are built in, again and again."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.schema import CreateSchema

from dbkit.connection import connect
from dbkit.connection.url import parse_database_url
from dbkit.schema import Picture, read
from support.random_models.models import Models
from support.servers import PostgresServer

Result = TypeVar("Result")
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE oid >= 16384 OR nspname = 'public'"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"


def with_postgresql(server: PostgresServer, run: Callable[[Connection, Connection], Result]) -> Result:
    """Return what `run` does, which is given two new databases."""

    urls = [server.create_database() for _ in range(2)]

    async def connected() -> Result:
        async with AsyncExitStack() as stack:
            first, second = [
                await stack.enter_async_context(connect(parse_database_url(url), autocommit=False))
                for url in urls
            ]
            assert second.sync_connection
            return await first.run_sync(run, second.sync_connection)

    return asyncio.run(connected())


def with_sqlite(run: Callable[[Connection, Connection], Result]) -> Result:
    """The same with databases in memory."""
    engines = [create_engine("sqlite://") for _ in range(2)]
    try:
        with engines[0].connect() as first, engines[1].connect() as second:
            return run(first, second)
    finally:
        for engine in engines:
            engine.dispose()


def build(connection: Connection, models: Models, schemas: Iterable[str]) -> None:
    """Make schemas, and what models say in them."""
    with connection.begin():
        for schema in sorted(schemas):
            connection.execute(CreateSchema(schema))
        models.metadata().create_all(connection)


def picture_of(connection: Connection, models: Models, schemas: Iterable[str]) -> Picture:
    """Return the picture of an empty database with the models, and leave it empty."""
    try:
        build(connection, models, schemas)
        return read(connection)
    finally:
        clear(connection)


def clear(connection: Connection) -> None:
    """Make a database as it was when it was created."""
    connection.rollback()
    quote = connection.dialect.identifier_preparer.quote_identifier
    with connection.begin():
        if connection.dialect.name == "postgresql":
            for name in connection.exec_driver_sql(SCHEMAS).scalars().all():
                connection.exec_driver_sql(f"DROP SCHEMA {quote(name)} CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
            connection.exec_driver_sql("COMMENT ON SCHEMA public IS 'standard public schema'")
        else:
            for name in connection.exec_driver_sql(TABLES).scalars().all():
                connection.exec_driver_sql(f"DROP TABLE {quote(name)}")
