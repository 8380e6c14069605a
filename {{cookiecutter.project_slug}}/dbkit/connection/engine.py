"""Engines: asyncpg for PostgreSQL, aiosqlite for SQLite with foreign keys enforced."""

from typing import Any

from sqlalchemy import StaticPool, event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from dbkit.connection.hosts import connect_to_one
from dbkit.connection.url import DatabaseURL
from dbkit.errors import driver_error
from dbkit.redaction import hide_values

SQLITE_BUSY_TIMEOUT = 30  # seconds that a statement waits while another process writes


def create_engine(database: DatabaseURL, **options: Any) -> AsyncEngine:
    """Create an engine for `database`; `options` are SQLAlchemy's `create_engine` keywords."""
    # A driver's error is logged by whoever catches it; the values of a statement are data.
    options.setdefault("hide_parameters", True)
    if database.in_memory:  # one connection, or each would be a database of its own
        options.setdefault("poolclass", StaticPool)
    engine = create_async_engine(database.url, connect_args=database.connect_args, **options)
    event.listen(engine.sync_engine, "handle_error", _hide_values)
    if database.dialect == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    else:
        event.listen(engine.sync_engine, "do_connect", _choose_host)
    return engine


def _choose_host(_dialect: Any, _record: Any, _arguments: Any, keywords: dict[str, Any]) -> None:
    keywords["async_creator_fn"] = connect_to_one


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Set what is off or short in each new connection: https://www.sqlite.org/pragma.html."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT * 1000}")
    cursor.close()


def _hide_values(context: ExceptionContext) -> None:
    """Let no log of an error show a row, such as `Key (email)=(x@example.com) already exists`.

    The driver's message stands in the errors of SQLAlchemy that wrap it, too.
    """
    error = driver_error(context.sqlalchemy_exception or context.original_exception)
    before = str(error.args[0]) if error.args else ""
    hide_values(error)
    if not before or error.args[0] == before:
        return
    for copy in (context.original_exception, context.sqlalchemy_exception):
        if copy is not None and copy is not error:
            copy.args = tuple(
                each.replace(before, error.args[0]) if isinstance(each, str) else each
                for each in copy.args
            )
