"""Connect, and measure how far away the database is."""

import statistics
import time

from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection.failures import one_line_errors
from dbkit.connection.server import connect
from dbkit.connection.url import DatabaseURL

ROUNDS = 5


async def ping(database: DatabaseURL) -> str:
    """Which server it is, and its round-trip time, in one line.

    Raises:
        DatabaseUnavailable: there is no connection.
    """
    if database.is_missing:
        return f"SQLite: {database.name} does not exist yet; 'make migrate' makes it"
    with one_line_errors(database):
        async with connect(database) as connection:
            server = await _describe(database, connection)
            times = [await _round_trip(connection) for _ in range(ROUNDS)]
    return f"{server}: round trip {statistics.median(times):.2f} ms (median of {ROUNDS})"


async def _describe(database: DatabaseURL, connection: AsyncConnection) -> str:
    if database.dialect == "sqlite":
        # Reads the file, which opening it alone does not do.
        await connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        version = await connection.exec_driver_sql("SELECT sqlite_version()")
        return f"SQLite {version.scalar_one()}, {database.server}"
    result = await connection.exec_driver_sql(
        "SELECT current_setting('server_version') AS version, current_database() AS name,"
        " (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls"
    )
    row = result.one()
    return (
        f"PostgreSQL {row.version.split()[0]} on {database.server}, database {row.name}, "
        f"{row.tls or 'without TLS'}"
    )


async def _round_trip(connection: AsyncConnection) -> float:
    begun = time.perf_counter()
    await connection.exec_driver_sql("SELECT 1")
    return (time.perf_counter() - begun) * 1000
