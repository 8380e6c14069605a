"""A database that lives as long as a with-block, for tests and for comparing."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from dbkit.connection.failures import explain, one_line_errors
from dbkit.connection.server import connect_beside, create, drop
from dbkit.connection.url import DatabaseURL
from dbkit.errors import DatabaseUnavailable

# PostgreSQL cuts identifiers at 63 bytes, and the end of the name is what makes it unique.
LONGEST_PREFIX = 40


@asynccontextmanager
async def throwaway_database(home: DatabaseURL) -> AsyncIterator[DatabaseURL]:
    """A new, empty database beside `home`, which is not written to; dropped at the end.

    Raises:
        DatabaseUnavailable: no connection, or no right to create a database.
    """
    if home.dialect == "sqlite":
        with _temporary_folder(home) as folder:
            yield DatabaseURL(URL.create("sqlite+aiosqlite", database=f"{folder}/throwaway.db"))
        return
    prefix = home.name.encode()[:LONGEST_PREFIX].decode(errors="ignore")
    throwaway = home.named(f"{prefix}_throwaway_{secrets.token_hex(4)}")
    with one_line_errors(home):
        await _create(throwaway, home)
    try:
        yield throwaway
    finally:
        async with connect_beside(home) as connection:
            await drop(throwaway, connection)


async def _create(throwaway: DatabaseURL, home: DatabaseURL) -> None:
    async with connect_beside(home) as connection:
        try:
            await create(throwaway, connection)
        except DBAPIError as error:
            raise DatabaseUnavailable(
                f"{home.server}: {explain(error) or error.orig}; "
                "TEST_DATABASE_URL may name a server to create throwaway databases on"
            ) from None
        except asyncio.CancelledError:  # the server may have it all the same
            async with connect_beside(home) as another:
                await drop(throwaway, another)
            raise


def _temporary_folder(home: DatabaseURL) -> TemporaryDirectory[str]:
    folder = None if home.in_memory or home.url.query else Path(home.name).parent
    try:
        return TemporaryDirectory(dir=folder, prefix=".throwaway-")
    except OSError as error:
        raise DatabaseUnavailable(f"{folder}: {error.strerror}") from None
