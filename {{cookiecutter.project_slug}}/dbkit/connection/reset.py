"""Drop a database and create it anew, empty: where that is proven harmless, or asked for by name.

`make db-reset` migrates it afterwards.
"""

import shlex
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit import PROJECT
from dbkit.connection.beside import connect_beside
from dbkit.connection.failures import one_line_errors
from dbkit.connection.mark import is_marked
from dbkit.connection.properties import read_locale
from dbkit.connection.server import create, drop
from dbkit.connection.url import DatabaseURL
from dbkit.errors import DatabaseUnavailable, error_text, sqlstate

HARMLESS = ("development", "test")
SYSTEM = ("postgres", "template0", "template1")
# https://www.postgresql.org/docs/current/errcodes-appendix.html
INSUFFICIENT_PRIVILEGE = "42501"
SQLITE_PATIENCE = 5.0  # seconds for a writer to finish


class ResetRefused(Exception):
    """Nothing was touched. Its text is one line that says why, and what to type."""


async def reset_database(database: DatabaseURL, confirm: str, environment: str) -> str:
    """Drop and create `database`; open connections to it do not hinder. Returns what was done.

    Args:
        confirm: the database's name (for SQLite, its file's), as proof that it is meant. Empty:
            the database has to be this project's own, and `environment` a harmless one.

    Raises:
        ResetRefused: no proof, or nothing that can be dropped.
        DatabaseUnavailable: no connection, or no right.
    """
    name = database.name_to_type
    if not name or name in SYSTEM:
        raise ResetRefused(f"{name or 'a URL without a name'} is no database to drop")
    if database.in_memory or database.url.query.get("uri"):
        raise ResetRefused(f"{database.name} is not the path of a file")
    advice = f"if you mean it, type: make db-reset CONFIRM={shlex.quote(name)}"
    if confirm and confirm != name:
        raise ResetRefused(f"CONFIRM is not the name of the database; {advice}")
    if not confirm and environment not in HARMLESS:
        raise ResetRefused(f"ENVIRONMENT is {environment}; {advice}")
    if database.dialect == "sqlite":
        path = _real_path(database)
        if not confirm and not path.is_relative_to(PROJECT):
            raise ResetRefused(f"{path} is outside the project; {advice}")
        _empty(path)
        return f"{path} is empty"
    with one_line_errors(database):
        async with connect_beside(database) as connection:
            if not confirm:
                await _prove_ours(database, connection, advice)
            await _recreate(database, connection)
    return f"Database {name} on {database.server} is empty"


def _real_path(database: DatabaseURL) -> Path:
    """Where an SQLite file is: a link in the project may lead anywhere."""
    return Path(database.name).resolve()


async def _prove_ours(database: DatabaseURL, connection: AsyncConnection, advice: str) -> None:
    if not await is_marked(connection):
        raise ResetRefused(
            f"the server at {database.server} was not started by 'make db-up' of this project, "
            f"wherever that address leads; {advice}"
        )


async def _recreate(database: DatabaseURL, connection: AsyncConnection) -> None:
    may_create = await connection.exec_driver_sql(
        "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    if not may_create.scalar_one():  # dropped, it would stay so
        raise ResetRefused(
            f"the user {database.url.username} on {database.server} may not create databases"
        )
    locale = await read_locale(database, connection)
    try:
        await drop(database, connection)
    except DBAPIError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
        raise ResetRefused(
            f"{database.server}: {error_text(error)} (only its owner may drop a database, and "
            "nobody while a superuser is connected, as 'make db-shell ADMIN=1' is)"
        ) from None
    await create(database, connection, options=locale)


def _empty(path: Path) -> None:
    """Overwrite an SQLite file in place, so that whoever has it open sees the empty one."""
    deadline = time.monotonic() + SQLITE_PATIENCE

    def give_up(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError

    try:
        with closing(sqlite3.connect(path)) as file, closing(sqlite3.connect(":memory:")) as none:
            # A file in WAL mode keeps its page size.
            (page_size,) = file.execute("PRAGMA page_size").fetchone()
            none.execute(f"PRAGMA page_size = {page_size}")
            none.backup(file, progress=give_up, sleep=0.05)
    except TimeoutError:
        raise DatabaseUnavailable(f"{path}: somebody else is writing to it") from None
    except sqlite3.Error as error:
        raise DatabaseUnavailable(f"{path}: {error}") from None
