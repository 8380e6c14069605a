"""What is wrong with a file that Alembic reads, a model or a revision: which one, and where."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import alembic.script.revision
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from app import PROJECT
from app.database.errors import driver_error
from app.settings import get_settings


@contextmanager
def loading() -> Iterator[None]:
    """Raise what is wrong with a model as a `CommandError` that names its file and line.

    `alembic --raiseerr` shows the traceback.
    """
    try:
        yield
    except Exception as error:
        where = place(error, PROJECT / "app") or "models"
        raise CommandError(f"app/{where}: {said(error)}") from error


@contextmanager
def reading(versions: Path) -> Iterator[None]:
    """Raise what is wrong with the files of revisions as a `CommandError` that names the file."""
    try:
        yield
    except CommandError:
        raise
    except Exception as error:
        where = place(error, versions) or versions.name
        raise CommandError(missing(error) or f"{where}: {said(error)}") from error


def missing(error: BaseException) -> str | None:
    """Of Alembic's KeyError about a revision that others name: what that means."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    if isinstance(error, KeyError) and last == alembic.script.revision.__file__:
        name = error.args[0]
        return f"a revision comes after {name}, whose file is not there: was it never committed?"
    return None


def place(error: BaseException, folder: Path) -> str | None:
    """`file:line` of the statement below `folder` that failed, if there is one."""
    if isinstance(error, SyntaxError) and error.filename:
        path = Path(error.filename)
        return f"{path.relative_to(folder)}:{error.lineno}" if path.is_relative_to(folder) else None
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(folder) and "migrator" not in path.relative_to(folder).parts:
            return f"{path.relative_to(folder)}:{frame.lineno}"
    return None


def said(error: BaseException) -> str:
    """The error's own words on one line; of a database's error, those of its server."""
    if isinstance(error, DBAPIError):
        words = " ".join(str(driver_error(error)).split())
        if "statement timeout" in words:
            words += f" (MIGRATION_TIMEOUT is {get_settings().migration_timeout:g} s)"
        if "cannot run inside a transaction block" in words:
            words += " (put it in 'with op.get_context().autocommit_block():')"
        return words
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
