"""A database that lives as long as a with-block, for tests and for comparing."""

import asyncio
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from dbkit.connection.failures import explain, one_line_errors
from dbkit.connection.server import connect_beside, create, drop
from dbkit.connection.url import DatabaseURL
from dbkit.errors import DatabaseUnavailable

# PostgreSQL cuts identifiers at 63 bytes, and the end of the name is what makes it unique.
LONGEST_PREFIX = 40


def choose_throwaway(home: DatabaseURL) -> DatabaseURL:
    """Return a new database beside `home`, which does not exist yet."""
    token = secrets.token_hex(4)
    if home.dialect == "postgresql":
        prefix = home.name.encode()[:LONGEST_PREFIX].decode(errors="ignore")
        return home.named(f"{prefix}_throwaway_{token}")
    folder = None if home.in_memory or home.url.query else Path(home.name).parent
    if folder is None or (folder.is_dir() and not os.access(folder, os.W_OK)):
        folder = Path(tempfile.gettempdir())
    file = folder / f".throwaway-{token}" / "throwaway.db"
    return DatabaseURL(URL.create("sqlite+aiosqlite", database=str(file)))


@asynccontextmanager
async def throwaway_database(
    home: DatabaseURL, throwaway: DatabaseURL | None = None, *, copy_of: DatabaseURL | None = None
) -> AsyncIterator[DatabaseURL]:
    """A new, empty database beside `home`, which is not written to; dropped at the end.

    Args:
        throwaway: one that `choose_throwaway` has chosen.
        copy_of: another throwaway database whose content it gets. Nobody may be connected to it.

    Raises:
        DatabaseUnavailable: no connection, or no right to create a database.
    """
    throwaway = throwaway or choose_throwaway(home)
    if home.dialect == "sqlite":
        folder = Path(throwaway.name).parent
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise DatabaseUnavailable(f"{folder.parent}: {error.strerror}") from None
        try:
            if copy_of is not None:
                _copy_file(copy_of, throwaway)
            yield throwaway
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    with one_line_errors(home):
        await _create(throwaway, home, copy_of.name if copy_of else "template0")
    try:
        yield throwaway
    finally:
        async with connect_beside(home) as connection:
            await drop(throwaway, connection)


async def _create(throwaway: DatabaseURL, home: DatabaseURL, template: str) -> None:
    async with connect_beside(home) as connection:
        try:
            await create(throwaway, connection, template)
        except DBAPIError as error:
            raise DatabaseUnavailable(
                f"{home.server}: {explain(error) or error.orig}; "
                "TEST_DATABASE_URL may name a server to create throwaway databases on"
            ) from None
        except asyncio.CancelledError:  # the server may have it all the same
            async with connect_beside(home) as another:
                await drop(throwaway, another)
            raise


def _copy_file(source: DatabaseURL, target: DatabaseURL) -> None:
    with closing(sqlite3.connect(source.name)) as old, closing(sqlite3.connect(target.name)) as new:
        old.backup(new)
