"""A database that cannot be used for a while, as an application meets it at its work."""

import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from dbkit.connection.failures import explain
from dbkit.connection.hosts import connect_to_one
from dbkit.connection.interruption import interrupt_after
from dbkit.errors import (
    INSUFFICIENT_PRIVILEGE,
    QUERY_CANCELED,
    DatabaseUnavailable,
    error_text,
    is_database_error,
    sqlite_code,
    sqlstate,
)

NO_ANSWER = "no answer in time"
# https://www.postgresql.org/docs/current/errcodes-appendix.html
READ_ONLY = "25006"
IN_THE_WAY = ("40001", "40P01")  # serialization_failure, also of a replica, and deadlock_detected
# A file that is no database, or may not be written, stays so.
FOR_GOOD = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY)


def report_unavailable(engine: AsyncEngine, connect_within: float, answer_within: float) -> None:
    """Let `engine` raise `DatabaseUnavailable`, with the reason, also if the server is silent.

    asyncpg's own errors may be of any kind, such as `OSError`, which other code raises, too. A
    statement that takes too long is cancelled in the server, and its connection is not used again.
    SQLite, which has no server, interrupts it.

    Args:
        connect_within: seconds for a new connection, where the URL does not say less.
        answer_within: seconds for a statement, where the URL of PostgreSQL says nothing.
    """
    if engine.dialect.name == "sqlite":
        interrupt_after(engine, answer_within)
        return

    def prepare(_dialect: Any, _record: Any, _arguments: Any, keywords: dict[str, Any]) -> None:
        keywords["async_creator_fn"] = _connect
        keywords["timeout"] = min(keywords.get("timeout") or connect_within, connect_within)
        keywords.setdefault("command_timeout", answer_within)

    event.listen(engine.sync_engine, "do_connect", prepare)
    event.listen(engine.sync_engine, "handle_error", _give_up, retval=True)


def _give_up(context: ExceptionContext) -> Exception | None:
    """Part with connections that are of no use any more, though the server did not close them.

    A statement that had no answer may have one later. A server that refuses to write was the
    primary, and another one is it now.
    """
    if isinstance(context.original_exception, TimeoutError):
        reason = NO_ANSWER
    elif sqlstate(context.original_exception) == READ_ONLY and not _only_reads(context):
        reason = "the server is read-only"
    else:
        return None
    context.is_disconnect = True
    return DatabaseUnavailable(reason)


def _only_reads(context: ExceptionContext) -> bool:
    connection = context.connection
    return connection is not None and "postgresql_readonly" in connection.get_execution_options()


async def _connect(*arguments: Any, **keywords: Any) -> Any:
    try:
        return await connect_to_one(*arguments, **keywords)
    except Exception as error:
        reason = explain(error)
        if reason is None:
            raise
        raise DatabaseUnavailable(reason) from error


def unavailable_reason(error: BaseException) -> str | None:
    """Return why the same work may succeed later; None if it would fail again.

    There is no connection, it was lost, a statement took too long, or others were in its way: a
    deadlock, or, on a replica, what the primary has changed.
    """
    if isinstance(error, DatabaseUnavailable | PoolTimeout):
        return explain(error) or str(error)
    if not is_database_error(error) or sqlstate(error) == INSUFFICIENT_PRIVILEGE:
        return None
    if sqlstate(error) == QUERY_CANCELED:
        return NO_ANSWER
    if sqlstate(error) in IN_THE_WAY:
        return f"others were in the way: {error_text(error)}"
    return None if sqlite_code(error) in FOR_GOOD else explain(error)


async def close(session: AsyncSession) -> None:
    """Close a session; if its connection broke, the server has rolled back what was not committed.

    By then a request has its answer, to which an error adds nothing.
    """
    try:
        await session.close()
    except Exception as error:
        if unavailable_reason(error) is None:
            raise
        await session.invalidate()
