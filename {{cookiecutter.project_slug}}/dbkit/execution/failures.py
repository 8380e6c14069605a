"""Failures that everybody meets once, each in one line that says what to do."""

import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dbkit.connection.failures import driver_error, explain
from dbkit.errors import missing, place, said

# https://www.postgresql.org/docs/current/errcodes-appendix.html
LOCK_NOT_AVAILABLE_OR_DEADLOCK = ("55P03", "40P01")
OF_DRIVERS = ("asyncpg", "aiosqlite", "sqlalchemy")


class Explained(CommandError):
    """An error whose text needs no more advice."""


def is_lock_trouble(error: BaseException) -> bool:
    """Whether others stood in the way, so that trying again may help."""
    if isinstance(error, Explained) and error.__cause__ is not None:
        error = error.__cause__
    error = driver_error(error)
    if isinstance(error, sqlite3.OperationalError):
        return "database is locked" in str(error)
    return getattr(error, "sqlstate", None) in LOCK_NOT_AVAILABLE_OR_DEADLOCK


@contextmanager
def explained(
    context: ModuleType, running: Callable[[], Path | None] = lambda: None
) -> Iterator[None]:
    """Raise what goes wrong inside as a `CommandError` of one line, where it is foreseeable.

    `running` is the file of the revision on its way, for what no statement of it shows: a
    constraint that is checked at the commit, say.
    """
    versions = Path(context.script.versions)
    try:
        yield
    except Explained:
        raise
    except CommandError as error:
        message, where = _with_advice(str(error), context), place(error, versions)
        raise Explained(f"{where}: {message}" if where else message) from None
    except KeyboardInterrupt:
        raise Explained("interrupted; what was not committed is undone") from None
    except Exception as error:
        where = place(error, versions)
        if where is None and isinstance(error, DBAPIError) and (file := running()):
            where = file.name
        if parent := missing(error):
            raise Explained(parent) from error
        if where is None or _is_lost_connection(error):
            if isinstance(error, SQLAlchemyError) and not isinstance(error, DBAPIError):
                raise Explained(f"the models: {said(error)}") from error
            if isinstance(error, DBAPIError) and explain(error) is None:
                raise Explained(said(error)) from error
            raise
        remains = _what_remains(context.get_context())
        raise Explained(f"{where}: {said(error)}; {remains}") from error


def _with_advice(message: str, context: ModuleType) -> str:
    if message.startswith("Can't locate revision"):
        if any(f"'{name}'" in message for name in _current_heads(context)):
            return (
                f"{message}, at which the database stands: this code is older than the database, "
                "or the revision is on another branch; nothing was changed"
            )
        return f"{message}; 'make migration-history' lists those there are"
    if message.startswith("Multiple head"):
        heads = ", ".join(context.script.get_heads())
        return f"several heads ({heads}): join them with 'make migration-merge', or name one"
    if message == "Ambiguous walk":
        return "a step down from a merge leads two ways: name the revision to go to, REV=<revision>"
    return message


def _current_heads(context: ModuleType) -> tuple[str, ...]:
    """Where the database stands, while there is a connection to ask."""
    migration: MigrationContext = context.get_context()
    if migration.as_sql or migration.connection is None or migration.connection.closed:
        return ()
    return migration.get_current_heads()


def _is_lost_connection(error: BaseException) -> bool:
    """Whether it is about the server, although a revision's statement met it."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return explain(error) is not None and any(f"/{name}/" in last for name in OF_DRIVERS)


def _what_remains(migration: MigrationContext) -> str:
    if migration.dialect.name == "sqlite":
        return "nothing was changed"
    kinds = migration.opts.get("kinds")  # of whoever runs revisions
    if kinds is not None and not kinds.repeatable:
        return "what its autocommit_block has done stays"
    if kinds is None or not kinds.remains:
        return "this revision changed nothing"
    return "steps that were done stay, and the next attempt goes on from there"
