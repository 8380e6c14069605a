"""What a database's error may say: names and codes, but no value of a row.

Errors are kept in the history and in logs, and rows hold personal data. SQLSTATE and the fields of
an error decide, which are the same in every language of the server, and never its words:
https://www.postgresql.org/docs/current/protocol-error-fields.html
"""

import re
import sqlite3
from typing import Any

# Classes of SQLSTATE whose DETAIL and HINT are about the schema or the server. Others, such as 23
# (integrity constraints), show a row there; the message names their constraint.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
SAFE_DETAIL = ("0A", "2B", "40", "42", "53", "54", "55", "57")
# Classes whose message quotes a value: wrong data, and what other languages than SQL raise; but
# not a text that is too long for its type, nor a division by zero.
QUOTES_VALUE = ("22", "38", "39")
QUOTES_NONE = ("22001", "22012")
SYNTAX_ERROR = "42601"
# Functions of the server: PL/pgSQL's RAISE and ASSERT, whose text somebody has composed, and the
# one that reads a statement.
COMPOSING = ("exec_stmt_raise", "exec_stmt_assert")
READING = "exec_parse_message"
SQLITE_CONSTRAINT_TRIGGER = 1811  # RAISE() of a trigger: https://www.sqlite.org/rescode.html


def is_server_error(error: BaseException) -> bool:
    """Tell whether asyncpg raised an error that has PostgreSQL's fields."""
    return getattr(error, "sqlstate", None) is not None and hasattr(error, "internal_query")


def public_text(error: Any, statement: str | None = None) -> str:
    """Return what may be shown of an error of asyncpg or `sqlite3`, on one line.

    Args:
        statement: the one that failed. Its own text is in a file and may be shown.
    """
    parts = [_message(error, statement or "")]
    is_whole = is_server_error(error) and parts[0] == error.args[0]
    if is_whole and error.sqlstate.startswith(SAFE_DETAIL):
        additions = {"DETAIL": error.detail, "HINT": error.hint}
        parts += [f"{name}: {text}" for name, text in additions.items() if text]
    return " ".join(" ".join(parts).split())


def hide_values(error: Any) -> None:
    """Take the values of rows out of an error, which whoever logs it would show.

    The text of a RAISE stays, which an application may want to show. So do `sqlstate`,
    `constraint_name` and all other fields of names.
    """
    if is_server_error(error) and not error.sqlstate.startswith(SAFE_DETAIL):
        error.detail = None
    if _is_undecodable(error) or (is_server_error(error) and _is_about_value(error)):
        error.args = (_message(error, ""),)
        error.__cause__ = error.__context__ = None


def _message(error: Any, statement: str) -> str:
    if _is_undecodable(error):
        return "a text in the database is no UTF-8"
    if getattr(error, "sqlite_errorcode", None) == SQLITE_CONSTRAINT_TRIGGER:
        return "a trigger refuses it by RAISE()"
    if not is_server_error(error):
        return str(error)
    message = str(error.args[0])
    if error.server_source_function in COMPOSING:
        return _composed(message, statement) or _place(error)
    # What a function executes, perhaps composed of values.
    is_dynamic = error.internal_query is not None and error.internal_query not in statement
    return _condition(error) if is_dynamic or _is_about_value(error) else message


def _is_about_value(error: Any) -> bool:
    """Tell whether the message quotes a value."""
    if error.sqlstate == SYNTAX_ERROR:  # without a position: in a value, such as a tsquery
        is_statement = error.position is not None or error.internal_query is not None
        return not is_statement and error.server_source_function != READING
    return error.sqlstate.startswith(QUOTES_VALUE) and error.sqlstate not in QUOTES_NONE


def _is_undecodable(error: Any) -> bool:
    """Tell whether Python's module could not read a text, which it then shows."""
    is_own = getattr(error, "sqlite_errorcode", None) is None
    return isinstance(error, sqlite3.OperationalError) and is_own


def _condition(error: Any) -> str:
    """Name an error by its code, nearly as PostgreSQL's list does."""
    if error.server_source_function is None:  # the driver's own, about a parameter
        return str(error.args[0]).partition(":")[0]
    name = type(error).__name__.removeprefix("Postgres")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return f"{words} ({error.sqlstate}; the server's log has the value)"


def _composed(message: str, statement: str) -> str | None:
    """Return the text of a RAISE or ASSERT as the statement has it: `%` stands for a value."""
    if message in statement:
        return message
    for literal in re.findall(r"\bRAISE\b[^';]*'((?:[^']|'')*)'", statement, re.IGNORECASE):
        text = str(literal).replace("''", "'")
        if re.fullmatch(".*".join(map(re.escape, text.split("%"))), message, re.DOTALL):
            return text
    return None


def _place(error: Any) -> str:
    """Say where a function of the database raised the error: the first line of its context."""
    place = (error.context or "a function").splitlines()[0]
    constraint = f"constraint {error.constraint_name}, " if error.constraint_name else ""
    return f"{error.sqlstate}, {constraint}{place} (the server's log has its text)"
