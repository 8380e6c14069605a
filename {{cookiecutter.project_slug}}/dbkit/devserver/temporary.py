"""A PostgreSQL of this machine for throwaway databases, where none can be made elsewhere."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL

from dbkit.connection import DatabaseURL, connect
from dbkit.connection.admin import ADMIN
from dbkit.connection.development import read_database_url
from dbkit.connection.mark import project_mark
from dbkit.connection.server import create, quoted
from dbkit.connection.url import DatabaseURLError, parse_database_url
from dbkit.devserver.abandoned import temporary_folder
from dbkit.devserver.cluster import (
    Account,
    Programs,
    RunningServer,
    ServerExited,
    choose_account,
    create_data_directory,
    find_server,
    identify_server,
    start_server,
    stop_server,
)
from dbkit.devserver.errors import DevServerError
from dbkit.devserver.providers import system, wheel
from dbkit.devserver.state import read_state
from dbkit.errors import DatabaseUnavailable

MARK = "throwaway"
ATTEMPTS = 3  # at a port that was free a moment before
ROLES = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'"
SEARCH_PATH = "SELECT string_agg(quote_ident(s), ', ') FROM unnest(current_schemas(false)) AS s"


@asynccontextmanager
async def local_server(like: DatabaseURL, major: int) -> AsyncIterator[DatabaseURL | None]:
    """A database of a server on this machine; None if it has no PostgreSQL of this version.

    A new server in a temporary folder, with the roles and the search path of `like`, which stops
    afterwards. Where no programs of the version are installed or were fetched before, the running
    development server, if it has the version.

    Raises:
        DatabaseUnavailable: the server does not start; one line.
    """
    try:
        account = choose_account(Path("/nowhere"))
        programs = _find_programs(account, major)
        if programs is None:
            yield await asyncio.to_thread(_development_server, major)
            return
        with temporary_folder(account) as data:
            async with _server(data, programs, account) as server:
                await _resemble(server, like)
                yield server.named(like.name)
    except DevServerError as error:
        raise DatabaseUnavailable(str(error)) from None


def _find_programs(account: Account, major: int) -> Programs | None:
    """Return programs that are here already: a check is no time to fetch some."""
    found = system.find_installed(account, major)
    return found or wheel.find_fetched(read_state().server_folder, account, major)


@asynccontextmanager
async def _server(data: Path, programs: Programs, account: Account) -> AsyncIterator[DatabaseURL]:
    try:
        yield _start(data, programs, account)
    finally:
        pid = find_server(data)
        if pid is not None:
            stop_server(pid)


def _start(data: Path, programs: Programs, account: Account) -> DatabaseURL:
    url = URL.create(
        "postgresql+asyncpg", ADMIN, secrets.token_hex(16), "127.0.0.1", None, "postgres"
    )
    create_data_directory(data, programs, account, DatabaseURL(url))
    for attempt in range(ATTEMPTS):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = int(listener.getsockname()[1])
        database = DatabaseURL(url.set(port=port))
        try:
            start_server(data, programs, account, database, MARK)
        except ServerExited:
            if attempt + 1 == ATTEMPTS:
                raise
            continue
        break
    return database


async def _resemble(server: DatabaseURL, like: DatabaseURL) -> None:
    """Create the roles that grants and policies name, and a database of this name."""
    async with connect(like) as connection:
        roles = (await connection.exec_driver_sql(ROLES)).scalars().all()
        path = (await connection.exec_driver_sql(SEARCH_PATH)).scalar_one()
    async with connect(server) as connection:
        for role in set(roles) - {ADMIN}:
            await connection.exec_driver_sql(f"CREATE ROLE {quoted(role)}")
        if like.name != server.name:
            await create(server.named(like.name), connection)
        if path:
            await connection.exec_driver_sql(
                f"ALTER DATABASE {quoted(like.name)} SET search_path = {path}"
            )


def _development_server(major: int) -> DatabaseURL | None:
    """Return this project's own database, if its server runs and has the version."""
    try:
        database = parse_database_url(read_database_url() or "")
    except (DatabaseURLError, OSError, UnicodeDecodeError):
        return None
    if database.dialect != "postgresql":
        return None
    answer = identify_server(database)
    if not isinstance(answer, RunningServer) or answer.mark != project_mark():
        return None
    return database if answer.version.partition(".")[0] == str(major) else None
