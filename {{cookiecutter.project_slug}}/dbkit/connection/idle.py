"""Tries a pooled connection before it is used again, if it was idle for a while.

SQLAlchemy's own `pool_pre_ping` does so each time, by three round trips, and waits for a silent
server as long as for a statement: https://docs.sqlalchemy.org/en/21/core/pooling.html
"""

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from dbkit.errors import DatabaseUnavailable

IDLE = 1.0  # seconds; a server that ends is noticed by those who work with it
SINCE = "idle since"


def try_idle_connections(engine: AsyncEngine) -> None:
    """Let `engine` replace connections that broke while they were idle.

    Of a server that says nothing, a request learns as `DatabaseUnavailable`.
    """
    if engine.dialect.name != "postgresql":  # SQLite has no server
        return
    pool, dialect = engine.sync_engine.pool, engine.sync_engine.dialect

    def check_out(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if connection.driver_connection.is_closed():  # the server has said so
            raise InvalidatePoolError("it was closed while it was idle")
        since = record.info.get(SINCE)
        if since is None or time.monotonic() - since < IDLE:
            return
        try:
            dialect.do_ping(connection)
        except TimeoutError:
            raise DatabaseUnavailable("no answer in time") from None
        except dialect.loaded_dbapi.Error as error:
            if not dialect.is_disconnect(error, connection, None):
                raise
            raise InvalidatePoolError("it broke while it was idle") from error

    def check_in(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[SINCE] = time.monotonic()

    event.listen(pool, "checkout", check_out)
    event.listen(pool, "checkin", check_in)
