"""Tries a pooled connection before it is used again, if it was idle for a while.

SQLAlchemy's own `pool_pre_ping` does so each time, by three round trips, and waits for a silent
server as long as for a statement: https://docs.sqlalchemy.org/en/21/core/pooling.html
"""

import math
import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from dbkit.connection.failures import CLOSED, explain
from dbkit.errors import DatabaseUnavailable

IDLE = 1.0  # seconds; a server that ends is noticed by those who work with it
SINCE = "idle since"


def try_idle_connections(engine: AsyncEngine, within: float | None = None) -> None:
    """Let `engine` replace connections that broke while they were idle.

    Of a server that says nothing, a request learns as `DatabaseUnavailable`.

    Args:
        within: try new connections, too, and wait so many seconds for an answer; otherwise as long
            as for any statement.
    """
    if engine.dialect.name != "postgresql":  # SQLite has no server
        return
    pool, dialect = engine.sync_engine.pool, engine.sync_engine.dialect

    def ping(connection: Any) -> None:
        if within is None:
            dialect.do_ping(connection)
        else:
            connection.run_async(lambda driver: driver.execute("SELECT 1", timeout=within))

    def check_out(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if connection.driver_connection.is_closed():  # the server has said so
            if SINCE not in record.info:  # a new one, which took the place of another
                raise DatabaseUnavailable(CLOSED)
            raise InvalidatePoolError("it was closed while it was idle")
        # A new connection leads to a server that answers, unless a pooler stands before it.
        since = record.info.get(SINCE, math.inf if within is None else -math.inf)
        if time.monotonic() - since < IDLE:
            return
        try:
            ping(connection)
        except TimeoutError as error:
            raise DatabaseUnavailable("no answer in time") from error
        except Exception as error:
            if not connection.driver_connection.is_closed():
                raise
            if SINCE not in record.info:
                raise DatabaseUnavailable(explain(error) or CLOSED) from error
            raise InvalidatePoolError("it broke while it was idle") from error

    def check_in(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[SINCE] = time.monotonic()

    event.listen(pool, "checkout", check_out)
    event.listen(pool, "checkin", check_in)
