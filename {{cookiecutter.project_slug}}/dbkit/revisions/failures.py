"""What a revision failed at, in one line without a row's value."""

import ast
import traceback
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import alembic
from sqlalchemy.exc import DBAPIError, StatementError

from dbkit.errors import error_text, is_database_error
from dbkit.revisions.advice import advice

# Errors whose text is about code or files; others may quote what they were given.
ABOUT_CODE = (
    *(AttributeError, ImportError, NameError, NotImplementedError, OSError, SyntaxError),
    TypeError,
)
ALEMBIC = Path(alembic.__file__).parent  # whose errors are about operations
NO_VALUE = "cd3x"  # of a parameter: https://docs.sqlalchemy.org/en/20/errors.html


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
    known = isinstance(error, DBAPIError) and advice(error, running.applies, running.seconds)
    return f"{error_text(error)} ({known})" if known else error_text(error)


def _python_text(error: Exception, versions: Path) -> str:
    """Return the error's text if it is known to quote no row, otherwise the code that raised it.

    A text that stands in the revision's file is no value: `raise ValueError("not before …")`.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, StatementError) and isinstance(error.orig, Exception):
        if getattr(error.orig, "code", None) == NO_VALUE:
            return rf"{error.orig.args[0]} (a colon begins a parameter, \\: does not)"
        error = error.orig  # a value does not fit its type: the statement is not about it
    text = error_text(error)
    if isinstance(error, ABOUT_CODE) or type(error).__module__.startswith("sqlalchemy"):
        return text
    inner = [frame for frame in frames if Path(frame.filename).is_relative_to(versions)]
    if not inner or inner[-1].lineno is None or Path(frames[-1].filename).is_relative_to(ALEMBIC):
        return text
    source = Path(inner[-1].filename).read_text(encoding="utf-8")
    nodes = ast.walk(ast.parse(source))
    if any(isinstance(node, ast.Constant) and node.value == str(error) for node in nodes):
        return text
    begin, end = inner[-1].lineno, inner[-1].end_lineno or inner[-1].lineno
    code = " ".join(source.splitlines()[begin - 1 : end])
    return f"{type(error).__name__} in {shorten(code, 200, placeholder=' …')}"
