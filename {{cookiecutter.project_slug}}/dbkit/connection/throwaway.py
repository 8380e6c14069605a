"""A database that lives as long as a with-block, for tests and for comparing."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from dbkit.connection.beside import connect_beside
from dbkit.connection.failures import explain, one_line_errors
from dbkit.connection.leftovers import choose_token, drop_leftovers, mark, remove_leftovers
from dbkit.connection.properties import copy_settings, read_locale
from dbkit.connection.server import EMPTY, create, drop, quoted
from dbkit.connection.url import DatabaseURL
from dbkit.errors import INSUFFICIENT_PRIVILEGE, DatabaseUnavailable, error_text, sqlstate
from dbkit.settings import get_settings

# PostgreSQL cuts identifiers at 63 bytes, and the end of the name is what makes it unique.
LONGEST_PREFIX = 40
PROTOCOL_VIOLATION = "08P01"  # with which PgBouncer refuses a database that it does not list


def choose_throwaway(home: DatabaseURL) -> DatabaseURL:
    """Return a new database beside `home`, which does not exist yet."""
    token = choose_token()
    if home.dialect == "postgresql":
        return name_beside(home, f"throwaway_{token}")
    folder = None if home.in_memory or home.url.query else Path(home.name).parent
    if folder is None or (folder.is_dir() and not os.access(folder, os.W_OK)):
        folder = Path(tempfile.gettempdir())
    file = folder / f".throwaway-{token}" / "throwaway.db"
    return DatabaseURL(URL.create("sqlite+aiosqlite", database=str(file)))


def name_beside(home: DatabaseURL, ending: str) -> DatabaseURL:
    """Return the database on the server of `home` that begins with its name, as far as it fits."""
    prefix = home.name.encode()[:LONGEST_PREFIX].decode(errors="ignore")
    return home.named(f"{prefix}_{ending}")


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
            remove_leftovers(folder.parent)
            _make_file(throwaway, copy_of)
            yield throwaway
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    with one_line_errors(home):
        try:
            await _create(throwaway, home, copy_of)
        except DBAPIError as error:
            if sqlstate(error) != PROTOCOL_VIOLATION:
                raise
            raise DatabaseUnavailable(
                f"{home.server}: {error_text(error)}; behind a connection pooler, let"
                " TEST_DATABASE_URL name the server itself"
            ) from None
    try:
        yield throwaway
    finally:
        with one_line_errors(home):  # the server may have gone away meanwhile
            async with connect_beside(home) as connection:
                await drop(throwaway, connection)


async def _create(throwaway: DatabaseURL, home: DatabaseURL, copy_of: DatabaseURL | None) -> None:
    template = copy_of.name if copy_of else get_settings().test_database_template
    async with connect_beside(home) as connection:
        try:
            # Another template has an encoding of its own.
            locale = await read_locale(home, connection) if template == EMPTY else ""
            await create(throwaway, connection, template, locale)
        except DBAPIError as error:
            raise DatabaseUnavailable(f"{home.server}: {_advice(error, template)}") from None
        except asyncio.CancelledError:  # the server may have it all the same
            async with connect_beside(home) as another:
                await drop(throwaway, another)
            raise
        try:
            await mark(throwaway, connection)
            await drop_leftovers(connection)
            await copy_settings(home, throwaway, connection)
        except BaseException:
            async with connect_beside(home) as another:
                await drop(throwaway, another)
            raise


def _advice(error: DBAPIError, template: str) -> str:
    """Say why a database was not created, and what to do."""
    code, said = sqlstate(error), error_text(error)
    if code == "3D000":
        return f"there is no database {template}, which TEST_DATABASE_TEMPLATE names"
    if code == "55006":
        return f"somebody is connected to {template}, which cannot be copied meanwhile: {said}"
    if code == INSUFFICIENT_PRIVILEGE and template != EMPTY:
        return (
            f"{said}; a throwaway database needs a role that may create databases, and a template:"
            f" ALTER DATABASE {quoted(template)} IS_TEMPLATE true"
        )
    another = "name another server for throwaway databases in TEST_DATABASE_URL"
    if code == INSUFFICIENT_PRIVILEGE:
        return f"{said}; let a superuser run ALTER ROLE … CREATEDB, or {another}"
    return f"{explain(error) or said}; if that stays so, {another}"


def _make_file(throwaway: DatabaseURL, copy_of: DatabaseURL | None) -> None:
    Path(throwaway.name).touch(mode=0o600)  # an empty file is an empty database
    if copy_of is not None:
        _copy_file(copy_of, throwaway)


def _copy_file(source: DatabaseURL, target: DatabaseURL) -> None:
    with closing(sqlite3.connect(source.name)) as old, closing(sqlite3.connect(target.name)) as new:
        old.backup(new)
