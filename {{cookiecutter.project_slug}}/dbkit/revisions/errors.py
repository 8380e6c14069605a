"""One-line errors for what goes wrong while revisions are read or executed.

They name the file and line of the revision, and say what to do.
"""

import sqlite3
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import alembic.script.revision
from alembic.script import ScriptDirectory
from alembic.script.revision import MultipleHeads, ResolutionError
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dbkit import PROJECT
from dbkit.connection import explain
from dbkit.errors import LOCK_SQLSTATES, error_text, location_of, sqlite_code, sqlstate
from dbkit.revisions.failures import Running, failure_text
from dbkit.transactions import MixedTransactionModes

# Alembic warns, with a path of the library, of what `missing_parent` explains.
warnings.filterwarnings("ignore", module=r"alembic\.script\.revision")
DRIVERS = ("asyncpg", "aiosqlite", "sqlalchemy")


class MigrationError(CommandError):
    """An error whose text is complete: one line that says what to do."""


def is_lock_error(error: BaseException) -> bool:
    """Tell whether another session's lock was in the way, so that a retry may help."""
    if isinstance(error, MigrationError) and error.__cause__ is not None:
        error = error.__cause__
    return sqlstate(error) in LOCK_SQLSTATES or sqlite_code(error) == sqlite3.SQLITE_BUSY


def several_heads(script: ScriptDirectory) -> CommandError:
    """Return the error that names the heads of this checkout, and what joins them."""
    heads = ", ".join(script.get_heads())
    return CommandError(
        f"several heads ({heads}): join them with 'make migration-merge', or name one"
    )


def missing_parent(error: BaseException) -> str | None:
    """Explain Alembic's KeyError about a revision that others name and that has no file."""
    if not isinstance(error, KeyError):
        return None
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    if last != alembic.script.revision.__file__:
        return None
    name = error.args[0]
    return f"a revision comes after {name}, whose file is not there: was it never committed?"


def location_in(versions: Path, error: BaseException) -> str | None:
    """Return `file:line` of the revision that raised the error, as `location_of` does.

    Of one that Python cannot read, no revision is known, so the folder is named, too.
    """
    location = location_of(error, versions)
    if location and isinstance(error, SyntaxError) and versions.is_relative_to(PROJECT):
        return f"{versions.relative_to(PROJECT).as_posix()}/{location}"
    return location


@contextmanager
def one_line(
    script: ScriptDirectory,
    *,
    heads: tuple[str, ...] = (),
    running: Callable[[], Running] = Running,
) -> Iterator[None]:
    """Turn what goes wrong inside into a `MigrationError`, where it is foreseeable.

    Args:
        heads: the revisions at which the database stands, if they are known.
        running: describes the revision being executed. Its file is named when no statement of it
            shows in the traceback: a deferred constraint that is checked at the commit, say.
    """
    versions = Path(script.versions)
    try:
        yield
    except MigrationError:
        raise
    except CommandError as error:
        message, location = _with_advice(error, script, heads), location_of(error, versions)
        if (
            location is None
            and isinstance(error, MixedTransactionModes)
            and (path := running().file)
        ):
            location = path.name
        raise MigrationError(f"{location}: {message}" if location else message) from None
    except KeyboardInterrupt:
        raise MigrationError("interrupted; what was not committed is undone") from None
    except SystemExit as error:  # which would end the command without a word, and as a success
        location = location_of(error, versions) or "sys.exit()"
        raise MigrationError(
            f"{location}: sys.exit() ends no migration, an exception does; {running().remains}"
        ) from error
    except Exception as error:
        revision, location = running(), location_in(versions, error)
        if location is None and (of_the_service := _in_function_of_env_py(error)):
            text = f"{of_the_service}: {error_text(error)}; {revision.remains}"
            raise MigrationError(text) from error
        if location is None and isinstance(error, DBAPIError) and revision.file:
            location = revision.file.name
        if parent := missing_parent(error):
            raise MigrationError(parent) from error
        text = failure_text(error, versions, revision)
        if location is not None and not _is_about_the_server(error):
            raise MigrationError(f"{location}: {text}; {revision.remains}") from error
        if isinstance(error, SQLAlchemyError) and not isinstance(error, DBAPIError):
            raise MigrationError(f"the models: {error_text(error)}") from error
        if isinstance(error, DBAPIError) and explain(error) is None:
            raise MigrationError(text) from error
        raise


def _with_advice(error: CommandError, script: ScriptDirectory, heads: tuple[str, ...]) -> str:
    cause = error.__cause__
    if isinstance(cause, ResolutionError):
        if cause.argument in heads:
            return (
                f"{error}, at which the database stands: this code is older than the database, "
                "or the revision is on another branch; nothing was changed. If its file is lost "
                "for good: alembic stamp --purge <revision>"
            )
        return f"{error}; 'make migration-history' lists those there are"
    if isinstance(cause, MultipleHeads):
        return str(several_heads(script))
    return str(error)


def _in_function_of_env_py(error: Exception) -> str | None:
    """Return `file:line` if a function of the service in `alembic/env.py` raised the error.

    Its last line, which calls the kit, is in the traceback of every error.
    """
    frames = traceback.extract_tb(error.__traceback__)
    inner = [frame for frame in frames if Path(frame.filename) == PROJECT / "alembic" / "env.py"]
    if not inner or inner[-1].name == "<module>":
        return None
    return f"alembic/env.py:{inner[-1].lineno}"


def _is_about_the_server(error: BaseException) -> bool:
    """Tell whether the server or the connection failed, although a revision's statement met it."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return explain(error) is not None and any(f"/{name}/" in last for name in DRIVERS)
