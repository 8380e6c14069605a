"""Errors of one line: their text, and the file and line that they come from."""

import re
import sqlite3
import traceback
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from dbkit.redaction import is_server_error, public_text

# https://www.postgresql.org/docs/current/errcodes-appendix.html
INSUFFICIENT_PRIVILEGE = "42501"
QUERY_CANCELED = "57014"
ACTIVE_SQL_TRANSACTION = "25001"
LOCK_NOT_AVAILABLE = "55P03"
LOCK_SQLSTATES = (LOCK_NOT_AVAILABLE, "40P01")  # and deadlock_detected
# A row that others, or the rows that it refers to, do not allow.
# https://www.sqlite.org/rescode.html#constraint_foreignkey
CONFLICTS = ("23503", "23505", "23P01")
SQLITE_CONFLICTS = (
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
)
# A table, column or schema that is not there, on PostgreSQL; SQLite has words alone.
MISSING = ("42P01", "42703", "3F000")
PROGRAM_LIMIT_EXCEEDED = "54000"  # such as a text that is too long for an index
LOCATION = "location_in_sql"  # the attribute of an error that `set_location` has set


class SettingsError(ValueError):
    """A setting is missing or wrong. Its text is one line and shows no value."""


class DatabaseUnavailable(Exception):
    """A database cannot be reached or used. Its text is one line that names the server."""


def driver_error(error: BaseException) -> BaseException:
    """Return what the driver raised, without SQLAlchemy's wrappers around it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's code of an error, which is the same in every language.

    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    return getattr(driver_error(error), "sqlstate", None)


def sqlite_code(error: BaseException) -> int | None:
    """Return SQLite's primary result code of an error, without the extension in its upper bits.

    https://www.sqlite.org/rescode.html
    """
    error = driver_error(error)
    if not isinstance(error, sqlite3.Error):
        return None
    code: int | None = getattr(error, "sqlite_errorcode", None)  # the module's own errors have none
    return None if code is None else code & 0xFF


def is_database_error(error: BaseException) -> bool:
    """Tell whether a database or its driver raised an error, past SQLAlchemy too."""
    return isinstance(error, DBAPIError | sqlite3.Error) or is_server_error(error)


def is_conflict(error: BaseException) -> bool:
    """Tell whether a row was refused because of other rows: a duplicate, or a missing parent."""
    code = getattr(driver_error(error), "sqlite_errorcode", None)
    return sqlstate(error) in CONFLICTS or code in SQLITE_CONFLICTS


def lacks_object(error: BaseException) -> bool:
    """Tell whether a statement names a table or column that is not there."""
    if sqlite_code(error) == sqlite3.SQLITE_ERROR:
        said = str(driver_error(error))
        return re.match(r"no such (table|column)|table .* has no column", said) is not None
    return sqlstate(error) in MISSING


def is_wrong_value(error: BaseException) -> bool:
    """Tell whether a value does not fit its column, or an index over it."""
    code = sqlstate(error) or ""
    return code.startswith("22") or code == PROGRAM_LIMIT_EXCEEDED


def is_connection_lost(error: BaseException) -> bool:
    """Tell whether the connection is gone, and nothing can be put right with it."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def error_text(error: BaseException) -> str:
    """Return the error's own words on one line; of a database's error, what may be shown of it."""
    if is_database_error(error):
        return public_text(driver_error(error), getattr(error, "statement", None))
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def set_location(error: BaseException, location: str) -> None:
    """Let `location_of` return `location`: what failed stands in no Python file."""
    vars(error)[LOCATION] = location


def location_of(error: BaseException, folder: Path) -> str | None:
    """Return `file:line` of the innermost statement below `folder` that raised the error.

    Of a file below `folder` that cannot be opened, there is no line.
    """
    if location := vars(error).get(LOCATION):
        return str(location)
    if isinstance(error, SyntaxError) and error.filename:
        path = Path(error.filename)
        return f"{path.relative_to(folder)}:{error.lineno}" if path.is_relative_to(folder) else None
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(folder):
            return f"{path.relative_to(folder)}:{frame.lineno}"
    if isinstance(error, OSError) and isinstance(error.filename, str):  # it cannot be read at all
        path = Path(error.filename)
        return str(path.relative_to(folder)) if path.is_relative_to(folder) else None
    return None
