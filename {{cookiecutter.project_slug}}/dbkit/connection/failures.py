"""Why a database cannot be used, in one line without a secret."""

import re
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeout

from dbkit.connection.availability import is_broken_off, is_refused
from dbkit.connection.url import DatabaseURL
from dbkit.errors import DatabaseUnavailable, driver_error, sqlite_code, sqlstate
from dbkit.redaction import public_text

# A prepared statement is missing, or there already, in a session that several clients share.
POOLER = (
    "a connection pooler stands before it; the app needs DATABASE_POOLER=transaction, "
    "migrations need MIGRATION_DATABASE_URL with the database's own address"
)
# What to do if a user may not do something.
GRANTS = "'Two users' in alembic/README.md has the grants"
# https://www.postgresql.org/docs/current/errcodes-appendix.html
NO_SUCH_DATABASE = "3D000"
LOGIN_REFUSED = ("28P01", "28000")
CLOSED = "the server closed the connection"
SQLSTATES = {
    "08003": CLOSED,
    "08006": CLOSED,
    "25P03": CLOSED,  # idle_in_transaction_session_timeout
    "25P04": CLOSED,  # transaction_timeout
    "26000": POOLER,
    "28P01": "the server refused the password",
    "28000": "the server refused this user, or the way of connecting",
    NO_SUCH_DATABASE: "no such database",
    "42P05": POOLER,
    "53300": "the server has no connection left",
    "57P01": CLOSED,
    "57P02": "the server crashed, or was ended at once",
    "57P03": "the server is starting up or shutting down",
    "57P05": CLOSED,  # idle_session_timeout
}
# https://www.sqlite.org/rescode.html
SQLITE_CODES = {
    sqlite3.SQLITE_CANTOPEN: "unable to open database file",
    sqlite3.SQLITE_BUSY: "database is locked",
    sqlite3.SQLITE_READONLY: "attempt to write a readonly database",
    sqlite3.SQLITE_NOTADB: "file is not a database",
    sqlite3.SQLITE_IOERR: "disk I/O error",
    sqlite3.SQLITE_INTERRUPT: "no answer in time",
}


def explain(error: BaseException) -> str | None:
    """Return the reason in a few words if `error` is about reaching a database, otherwise None."""
    import asyncpg  # not above: a project on SQLite starts sooner without

    code, error = sqlite_code(error), driver_error(error)
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"{public_text(error)}; {GRANTS}"
    if isinstance(error, asyncpg.PostgresError):
        reason = SQLSTATES.get(str(error.sqlstate))
        # The driver's own error says that the connection broke, and its cause why.
        last_word = error.__cause__ if isinstance(error.__cause__, asyncpg.PostgresError) else error
        is_servers = not isinstance(last_word, asyncpg.PostgresConnectionError)
        return f"{reason}: {public_text(last_word)}" if reason == CLOSED and is_servers else reason
    if code is not None:
        return SQLITE_CODES.get(code)
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, PoolTimeout):
        return "every connection of the pool is in use"
    if is_refused(error):
        return "nothing listens there"
    if is_broken_off(error):
        return CLOSED
    if isinstance(error, socket.gaierror):
        return "the host's name is not known"
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        wanted = re.search(r"'([a-z-]+)'", str(error))
        return f"no server is {wanted[1] if wanted else 'such'} (target_session_attrs)"
    if isinstance(error, FileNotFoundError):
        missing = error.filename or "a socket, or a certificate file of the URL"
        return f"no such file: {missing}"
    if isinstance(error, asyncpg.InterfaceError) and "connection is closed" in str(error):
        return CLOSED  # without a word, as a crash does
    if isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _advice(error: BaseException, database: DatabaseURL) -> str:
    """Say what starts the server or makes the database, where that is this project's own."""
    from dbkit.connection.development import is_development_server

    if is_refused(driver_error(error)):
        advice = "'make db-up' starts the development database"
    elif sqlstate(error) == NO_SUCH_DATABASE:
        advice = "'make db-up' creates the development one"
    elif sqlstate(error) in LOGIN_REFUSED:
        advice = "'make db-up' starts this project's own server, beside one that is not"
    else:
        return ""
    return f"; {advice}" if is_development_server(database) else ""


def describe_failure(error: BaseException, database: DatabaseURL) -> str | None:
    """Return where, why and what to do, if `error` is about reaching `database`; else None."""
    reason = explain(error)
    if reason is None:
        return None
    if sqlstate(error) in LOGIN_REFUSED:  # which login was refused, its password aside
        reason = f"{reason} (user {database.url.username}, database {database.name})"
    return f"{database.server}: {reason}{_advice(error, database)}"


@contextmanager
def one_line_errors(database: DatabaseURL) -> Iterator[None]:
    """Turn failures to reach `database` into `DatabaseUnavailable`; let all others pass."""
    try:
        if database.dialect == "sqlite" and not database.url.query:
            # A file that aiosqlite cannot open leaves it a thread, which may print a traceback.
            sqlite3.connect(database.name).close()
        yield
    except Exception as error:
        line = describe_failure(error, database)
        if line is None:
            raise
        raise DatabaseUnavailable(line) from None
