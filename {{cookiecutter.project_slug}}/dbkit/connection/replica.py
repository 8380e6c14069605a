"""Where a session that only reads gets its connection: a replica, or the primary in its place."""

import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dbkit.connection.failures import LOGIN_REFUSED, NO_SUCH_DATABASE
from dbkit.connection.read_only import read_only
from dbkit.connection.unavailable import unavailable_reason
from dbkit.errors import sqlstate

log = logging.getLogger(__name__)
# Seconds until one request looks whether the replica is back; one that is silent makes it wait, and
# is asked again after some times as long.
TRY_AGAIN, PATIENCE = 1.0, 2


class Readers:
    """The replica for whoever only reads, and the primary while the replica is gone.

    Args:
        primary: the engine of the application.
        replica: an engine that soon gives up to connect; None where there is no replica.
    """

    def __init__(self, primary: AsyncEngine, replica: AsyncEngine | None) -> None:
        self._primary = read_only(primary)
        self._replica = None if replica is None else read_only(replica)
        self._is_gone = False
        self._next_try = 0.0

    @asynccontextmanager
    async def bind(self) -> AsyncIterator[AsyncEngine | AsyncConnection]:
        """Yield what a session can be bound to.

        Without a replica, that is an engine, which connects at the first statement. With one, it
        is a connection, since nobody knows before whether the replica is there.

        Raises:
            DatabaseUnavailable: neither of them is there, or the replica refuses the login.
        """
        if self._replica is None:
            yield self._primary
            return
        connection = await self._connect(self._replica)
        try:
            yield connection
        finally:
            await connection.close()

    async def dispose(self) -> None:
        """Close the connections to the replica."""
        if self._replica is not None:
            await self._replica.dispose()

    async def _connect(self, replica: AsyncEngine) -> AsyncConnection:
        begun = time.monotonic()
        if self._is_gone and begun < self._next_try:
            return await self._primary.connect()
        self._next_try = math.inf  # who comes meanwhile does not wait for a replica that is gone
        try:
            connection = await replica.connect()
        except Exception as error:
            if not _is_gone(error):
                raise
            if not self._is_gone:
                reason = unavailable_reason(error)
                log.warning("the replica is gone, the primary is read instead: %s", reason)
            self._is_gone = True
        else:
            if self._is_gone:
                log.warning("the replica is back")
            self._is_gone = False
            return connection
        finally:
            now = time.monotonic()
            self._next_try = now + TRY_AGAIN + PATIENCE * (now - begun)
        return await self._primary.connect()


def _is_gone(error: Exception) -> bool:
    """Tell whether the replica cannot be reached.

    One that refuses the login stays so, and should be seen; one that is used up is there.
    """
    if isinstance(error, PoolTimeout) or unavailable_reason(error) is None:
        return False
    return sqlstate(error.__cause__ or error) not in (*LOGIN_REFUSED, NO_SUCH_DATABASE)
