"""What to do about a statement that failed, by the code of the database's error."""

import re
import sqlite3

from sqlalchemy.exc import DBAPIError

from dbkit.connection import GRANTS
from dbkit.errors import (
    ACTIVE_SQL_TRANSACTION,
    INSUFFICIENT_PRIVILEGE,
    QUERY_CANCELED,
    driver_error,
    sqlite_code,
    sqlstate,
)
from dbkit.settings import get_settings

# https://www.postgresql.org/docs/current/errcodes-appendix.html
NOT_NULL_VIOLATION, SYNTAX_ERROR, OBJECT_IN_USE = "23502", "42601", "55006"
OUT_OF_MEMORY, LOCKS = "53200", "max_locks_per_transaction"
# Schema, table or index, column, type or constraint or extension, function.
ALREADY_EXISTS = ("42P06", "42P07", "42701", "42710", "42723")
# Functions of the server that refuse two statements in one, and DDL while triggers wait.
READING, CHECKING_USE = "exec_parse_message", "CheckTableNotInUse"

ONE_EACH = "one statement in each op.execute; op.run_sql_file runs a file of several"
ONCE = "a run is one transaction: type it once, in 'make db-shell'"
COPY = "write 'with op.batch_alter_table(…) as batch:'"
EXTENSION = (
    "let a superuser install it; where throwaway databases are made, into a database that "
    "TEST_DATABASE_TEMPLATE names"
)
NEEDS_VALUE = "give it a server_default, or see 'Zero downtime' in alembic/README.md"
NO_LOCK_LEFT = (
    "a transaction keeps a lock on each table and index that it touches: split the revision, or "
    "let an administrator raise that setting, and restart the server"
)
# SQLite speaks English only, and has one code for all of its errors in statements.
SQLITE = (
    (r"(PRAGMA|VACUUM|ATTACH|DETACH)\b", "(within|inside) (a )?transaction", ONCE),
    ("ALTER TABLE", "NOT NULL column", NEEDS_VALUE),
    ("ALTER TABLE", "syntax error|after drop column", COPY),
)
SQLITE_ALREADY_EXISTS = "already exists|duplicate column name"


def advice(error: DBAPIError, applies: str | None, seconds: float) -> str | None:
    """Return what to do, in a few words, or None where nobody can tell.

    Args:
        applies: the revision, if it is being applied.
        seconds: how long the statement took.
    """
    is_sqlite = isinstance(driver_error(error), sqlite3.Error)
    known = _of_sqlite(error) if is_sqlite else _of_postgresql(error, seconds)
    if known or not (applies and _already_exists(error)):
        return known
    return (
        "if the database has all of this revision already, record it: "
        f"make migration-stamp REV={applies}"
    )


def _of_postgresql(error: DBAPIError, seconds: float) -> str | None:
    statement, code = (error.statement or "").lstrip(), sqlstate(error)
    function = getattr(driver_error(error), "server_source_function", None)
    if code == QUERY_CANCELED:
        return _who_cancelled(seconds)
    if code == ACTIVE_SQL_TRANSACTION and not statement.startswith("SET"):
        # SET TRANSACTION comes too late
        return "put it in 'with op.get_context().autocommit_block():'"
    if code == INSUFFICIENT_PRIVILEGE:
        return EXTENSION if "EXTENSION" in statement.upper() else GRANTS
    if code == SYNTAX_ERROR and function == READING:
        return ONE_EACH
    if code == OBJECT_IN_USE and function == CHECKING_USE:
        return "change rows and tables in revisions of their own"
    if code == OUT_OF_MEMORY and LOCKS in str(getattr(driver_error(error), "hint", "")):
        return NO_LOCK_LEFT
    if code == NOT_NULL_VIOLATION and statement.startswith("ALTER TABLE"):
        return NEEDS_VALUE
    return None


def _who_cancelled(seconds: float) -> str:
    """Tell our own timeout from others by the time, because the server gives both one code."""
    timeout = get_settings().migration_timeout
    if seconds >= timeout:
        return f"MIGRATION_TIMEOUT is {timeout:g} s"
    return (
        f"after {seconds:.1f} s, so not by MIGRATION_TIMEOUT: somebody cancelled it, "
        "or the revision set a statement_timeout"
    )


def _of_sqlite(error: DBAPIError) -> str | None:
    statement, text = (error.statement or "").lstrip(), str(error.orig)
    if sqlite_code(error) is None and "one statement at a time" in text:  # Python's module
        return ONE_EACH
    if sqlite_code(error) == sqlite3.SQLITE_ERROR:
        for begins, says, todo in SQLITE:
            if re.match(begins, statement, re.IGNORECASE) and re.search(says, text):
                return todo
    return None


def _already_exists(error: DBAPIError) -> bool:
    if sqlite_code(error) == sqlite3.SQLITE_ERROR:
        return re.search(SQLITE_ALREADY_EXISTS, str(error.orig)) is not None
    return sqlstate(error) in ALREADY_EXISTS
