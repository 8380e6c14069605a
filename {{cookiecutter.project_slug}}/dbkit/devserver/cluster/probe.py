"""Identify what listens at a database's address: version, mark, data directory."""

import asyncio
import time
from dataclasses import dataclass, replace

from sqlalchemy.exc import DBAPIError

from dbkit.connection import DatabaseURL, connect, explain
from dbkit.connection.beside import connect_beside
from dbkit.connection.failures import LOGIN_REFUSED, NO_SUCH_DATABASE
from dbkit.connection.server import create
from dbkit.errors import driver_error, error_text, sqlstate

ATTEMPT_TIMEOUT = 3  # seconds: what listens may be no PostgreSQL and never answer
SLOW_TIMEOUT = 15  # seconds that this project's own server may be busy or starting
# https://www.postgresql.org/docs/current/errcodes-appendix.html
CANNOT_CONNECT_NOW = "57P03"


@dataclass(frozen=True)
class RunningServer:
    """A PostgreSQL that accepts the URL's user and password."""

    version: str
    mark: str
    is_superuser: bool  # the URL's user
    owner: str | None  # of the database, if the URL's user may not act as it
    has_database: bool


@dataclass(frozen=True)
class NoAnswer:
    """The reason why no PostgreSQL answers that accepts the URL's user and password."""

    reason: str
    login_refused: bool = False
    is_slow: bool = False  # something listens there and may answer later


def identify_server(database: DatabaseURL) -> RunningServer | NoAnswer:
    """Return what answers at the address of `database`."""
    connect_args = database.connect_args | {"timeout": ATTEMPT_TIMEOUT}
    try:
        return asyncio.run(_identify(replace(database, connect_args=connect_args)))
    except Exception as error:
        code = sqlstate(error)
        reason = explain(error)
        if reason is None and code is None:
            raise
        return NoAnswer(
            # Not every error of a server is known, such as those of one whose data was deleted.
            reason or error_text(driver_error(error)),
            login_refused=code in LOGIN_REFUSED,
            is_slow=code == CANNOT_CONNECT_NOW or isinstance(driver_error(error), TimeoutError),
        )


def identify_slow_server(database: DatabaseURL) -> RunningServer | NoAnswer:
    """Identify the server, again while something listens there and has no time to answer."""
    deadline = time.monotonic() + SLOW_TIMEOUT
    while True:
        answer = identify_server(database)
        if isinstance(answer, RunningServer) or not answer.is_slow or time.monotonic() > deadline:
            return answer
        time.sleep(0.2)


def create_database(database: DatabaseURL) -> None:
    """Create `database` on a server of this project."""

    async def create_beside() -> None:
        async with connect_beside(database) as connection:
            await create(database, connection)

    asyncio.run(create_beside())


async def _identify(database: DatabaseURL) -> RunningServer:
    try:
        return await _describe(database, has_database=True)
    except DBAPIError as error:
        if sqlstate(error) != NO_SUCH_DATABASE:
            raise
        # The server has checked the password before it looked for the database.
        return await _describe(database.named("postgres"), has_database=False)


async def _describe(database: DatabaseURL, *, has_database: bool) -> RunningServer:
    async with connect(database) as connection:
        result = await connection.exec_driver_sql(
            "SELECT current_setting('server_version') AS version,"
            " current_setting('cluster_name') AS mark,"
            " current_setting('is_superuser') = 'on' AS is_superuser,"
            " (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            " AND NOT pg_has_role(datdba, 'USAGE')) AS owner"
        )
        row = result.one()
        return RunningServer(
            # "15.18 (Debian 15.18-0+deb12u1)": the packager is no part of the version.
            version=row.version.split()[0],
            mark=row.mark,
            is_superuser=row.is_superuser,
            owner=row.owner if has_database else None,
            has_database=has_database,
        )
