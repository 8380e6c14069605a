"""What a revision failed at, and what to do about it, in one line without a row's value."""

import ast
import re
import sqlite3
import traceback
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

from sqlalchemy.exc import DBAPIError, StatementError

from dbkit.connection import GRANTS
from dbkit.errors import (
    ACTIVE_SQL_TRANSACTION,
    INSUFFICIENT_PRIVILEGE,
    QUERY_CANCELED,
    driver_error,
    error_text,
    is_database_error,
    sqlite_code,
    sqlstate,
)
from dbkit.settings import get_settings

# Schema, table or index, column, type or constraint or extension, function:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
ALREADY_EXISTS = ("42P06", "42P07", "42701", "42710", "42723")
SYNTAX_ERROR = "42601"
SEVERAL_COMMANDS = "exec_parse_message"  # the function of the server that refuses them
# SQLite speaks English only, and has one code for all of its errors in statements.
SQLITE_ALREADY_EXISTS = re.compile(r"already exists|duplicate column name")
SQLITE_OUTSIDE = re.compile(r"\s*(PRAGMA|VACUUM|ATTACH|DETACH)\b", re.IGNORECASE)
# Errors of Python whose text is about code or files; others may quote what they were given.
ABOUT_CODE = (OSError, TypeError, NameError, AttributeError, ImportError, SyntaxError)


@dataclass(frozen=True)
class Running:
    """The revision that is being executed, as far as a failure needs to know it.

    Attributes:
        file: the revision's file.
        applies: the revision, if it is being applied.
        seconds: how long its last statement has taken.
        remains: what stays in the database of a revision that failed.
    """

    file: Path | None = None
    applies: str | None = None
    seconds: float = 0.0
    remains: str = "nothing was changed"


def failure_text(error: Exception, versions: Path, running: Running) -> str:
    """Return what happened, with what to do about it where that is known."""
    if not is_database_error(error):
        return _python_text(error, versions)
    advice = _advice(error, running) if isinstance(error, DBAPIError) else None
    return f"{error_text(error)} ({advice})" if advice else error_text(error)


def _advice(error: DBAPIError, running: Running) -> str | None:
    statement, code = error.statement or "", sqlstate(error)
    if code == QUERY_CANCELED:
        return _who_cancelled(running)
    if code == ACTIVE_SQL_TRANSACTION and not statement.startswith("SET"):
        # SET TRANSACTION comes too late
        return "put it in 'with op.get_context().autocommit_block():'"
    if code == INSUFFICIENT_PRIVILEGE:
        return GRANTS
    if _has_several_commands(error):
        return "one statement in each op.execute"
    if sqlite_code(error) == sqlite3.SQLITE_ERROR and SQLITE_OUTSIDE.match(statement):
        return "a run is one transaction: type it once, in 'make db-shell'"
    if running.applies and _already_exists(error):
        return (
            "if the database has all of this revision already, record it: "
            f"make migration-stamp REV={running.applies}"
        )
    return None


def _who_cancelled(running: Running) -> str:
    """Tell our own timeout from others by the time, because the server gives both one code."""
    timeout = get_settings().migration_timeout
    if running.seconds >= timeout:
        return f"MIGRATION_TIMEOUT is {timeout:g} s"
    return (
        f"after {running.seconds:.1f} s, so not by MIGRATION_TIMEOUT: somebody cancelled it, "
        "or the revision set a statement_timeout"
    )


def _has_several_commands(error: DBAPIError) -> bool:
    driver = driver_error(error)
    if isinstance(driver, sqlite3.Error):  # Python's module has no code for it
        return sqlite_code(driver) is None and "one statement at a time" in str(driver)
    function = getattr(driver, "server_source_function", None)
    return sqlstate(driver) == SYNTAX_ERROR and function == SEVERAL_COMMANDS


def _already_exists(error: DBAPIError) -> bool:
    if sqlite_code(error) == sqlite3.SQLITE_ERROR:
        return SQLITE_ALREADY_EXISTS.search(str(error.orig)) is not None
    return sqlstate(error) in ALREADY_EXISTS


def _python_text(error: Exception, versions: Path) -> str:
    """Return the error's text if it is known to quote no row, otherwise the code that raised it.

    A text that stands in the revision's file is no value: `raise ValueError("not before …")`.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, StatementError) and isinstance(error.orig, Exception):
        error = error.orig  # a value does not fit its type: the statement is not about it
    text = error_text(error)
    if isinstance(error, ABOUT_CODE) or type(error).__module__.startswith("sqlalchemy"):
        return text
    inner = [frame for frame in frames if Path(frame.filename).is_relative_to(versions)]
    if not inner or inner[-1].lineno is None:
        return text
    source = Path(inner[-1].filename).read_text(encoding="utf-8")
    nodes = ast.walk(ast.parse(source))
    if any(isinstance(node, ast.Constant) and node.value == str(error) for node in nodes):
        return text
    begin, end = inner[-1].lineno, inner[-1].end_lineno or inner[-1].lineno
    code = " ".join(source.splitlines()[begin - 1 : end])
    return f"{type(error).__name__} in {shorten(code, 200, placeholder=' …')}"
