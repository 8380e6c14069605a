"""Ask whatever listens at a database's address what it is."""

import asyncio
import time
from dataclasses import dataclass, replace

from asyncpg import (
    InvalidAuthorizationSpecificationError,
    InvalidCatalogNameError,
    InvalidPasswordError,
    PostgresError,
)
from sqlalchemy.exc import DBAPIError

from dbkit.connection import server
from dbkit.connection.failures import SQLSTATES, explain
from dbkit.errors import driver_error
from dbkit.connection.url import DatabaseURL

PATIENCE = 3  # seconds for one attempt: what listens may not be PostgreSQL and never answer
SLOW = 15  # seconds that a server of ours may be busy, or starting, before that is a failure
BUSY = ("no answer in time", SQLSTATES["57P03"])
LOGIN_REFUSED = (InvalidPasswordError, InvalidAuthorizationSpecificationError)


@dataclass(frozen=True)
class Running:
    """A PostgreSQL that takes the URL's user and password. It tells superusers where `data` is."""

    version: str
    mark: str
    data: str
    has_database: bool


@dataclass(frozen=True)
class Silent:
    """No such answer, and why not."""

    reason: str
    refused_login: bool = False


def ask(database: DatabaseURL) -> Running | Silent:
    """What answers at the address of `database`, if anything does."""
    database = replace(database, connect_args=database.connect_args | {"timeout": PATIENCE})
    try:
        return asyncio.run(_ask(database))
    except Exception as error:
        cause = driver_error(error)
        reason = explain(error)
        if reason is None and isinstance(cause, PostgresError):
            reason = str(cause)  # such as those of a server whose data was deleted
        if reason is None:
            raise
        return Silent(reason, isinstance(cause, LOGIN_REFUSED))


def ask_patiently(database: DatabaseURL) -> Running | Silent:
    """`ask`, again while something listens there that has no time to answer."""
    deadline = time.monotonic() + SLOW
    while True:
        answer = ask(database)
        slow = isinstance(answer, Silent) and answer.reason in BUSY
        if not slow or time.monotonic() > deadline:
            return answer
        time.sleep(0.2)


async def _ask(database: DatabaseURL) -> Running:
    try:
        return await _describe(database, has_database=True)
    except DBAPIError as error:
        if not isinstance(driver_error(error), InvalidCatalogNameError):
            raise
        # The password was accepted before that.
        return await _describe(database.named("postgres"), has_database=False)


async def _describe(database: DatabaseURL, *, has_database: bool) -> Running:
    async with server.connect(database) as connection:
        rows = await connection.exec_driver_sql(
            "SELECT name, setting FROM pg_settings"
            " WHERE name IN ('server_version', 'cluster_name', 'data_directory')"
        )
        settings: dict[str, str] = {row.name: row.setting for row in rows}
        return Running(
            # "15.18 (Debian 15.18-0+deb12u1)": the packager is no part of the version.
            settings["server_version"].split()[0],
            settings["cluster_name"],
            settings.get("data_directory", ""),
            has_database,
        )


def create(database: DatabaseURL) -> None:
    """Create `database` on a server of ours."""

    async def create_beside() -> None:
        async with server.connect_beside(database) as connection:
            await server.create(database, connection)

    asyncio.run(create_beside())
