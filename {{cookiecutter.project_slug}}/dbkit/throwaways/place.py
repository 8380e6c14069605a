"""The server on which throwaway databases are made that can be compared with a live one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError

from dbkit.connection import DatabaseURL, connect, one_line_errors
from dbkit.connection.beside import connect_beside
from dbkit.errors import DatabaseUnavailable, error_text, sqlstate

# https://www.postgresql.org/docs/current/errcodes-appendix.html: no right, and PgBouncer's refusal
# of a database that it does not list.
REFUSED = ("42501", "08P01")
SERVER = """
SELECT current_setting('server_version_num')::integer / 10000 AS version,
    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS read_only,
    (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create
"""
VERSION = "SELECT current_setting('server_version_num')::integer / 10000"


@asynccontextmanager
async def throwaway_server(
    home: DatabaseURL, like: DatabaseURL, version: int | None = None
) -> AsyncIterator[DatabaseURL]:
    """The place of throwaway databases: `home`, or else a server of this machine.

    Two major versions of PostgreSQL word definitions differently, so the server has to be of the
    version of `like`. Where `home` is of another one, or lets nobody create databases, what
    `make db-up` would start takes its place, if it has the version.

    Args:
        home: a database beside which throwaway ones are wanted.
        like: the database with which they will be compared; the same one if with none.
        version: the major version of its server, where that is known.

    Raises:
        DatabaseUnavailable: no connection, or no such server; says what to do.
    """
    if home.dialect != "postgresql":
        yield home
        return
    if version is None and like is not home:
        version = await _read_version(like)
    with one_line_errors(home):
        obstacle = await _find_obstacle(home, version)
    if obstacle is None:
        yield home
        return
    version = version or await _read_version(like)
    async with _local_server(like, version) as local:
        if local is None:
            raise DatabaseUnavailable(
                f"{home.server}: {obstacle}, and there is no PostgreSQL {version} on this machine "
                "to make throwaway databases with: let a superuser run ALTER ROLE … CREATEDB, or "
                f"name a server of PostgreSQL {version} in TEST_DATABASE_URL"
            )
        print(f"{obstacle}: throwaway databases are on this machine, by its PostgreSQL {version}")
        yield local


async def _read_version(database: DatabaseURL) -> int:
    with one_line_errors(database):
        async with connect(database) as connection:
            version: int = (await connection.exec_driver_sql(VERSION)).scalar_one()
            return version


async def _find_obstacle(home: DatabaseURL, version: int | None) -> str | None:
    """Say why throwaway databases beside `home` would not do."""
    try:
        async with connect_beside(home) as connection:
            server = (await connection.exec_driver_sql(SERVER)).one()
    except DBAPIError as error:
        if sqlstate(error) not in REFUSED:
            raise
        return f"no way to create databases: {error_text(error)}"
    if version is not None and server.version != version:
        return f"TEST_DATABASE_URL names PostgreSQL {server.version}, not {version}"
    if server.read_only:
        return "nothing can be written there"
    return None if server.may_create else "this role may not create databases"


@asynccontextmanager
async def _local_server(like: DatabaseURL, version: int) -> AsyncIterator[DatabaseURL | None]:
    try:
        from dbkit.devserver.temporary import local_server
    except ModuleNotFoundError:  # an image is without it
        yield None
        return
    async with local_server(like, version) as local:
        yield local
