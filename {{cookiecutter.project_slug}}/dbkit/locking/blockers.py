"""Finds who blocks a migration's statement, from a second connection while it waits."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL, connect

log = logging.getLogger("alembic.migrator")

# A session, as a row `a` of pg_stat_activity, in words.
DESCRIBED = """format('process %s (%s%s%s)', a.pid,
            coalesce(nullif(a.application_name, '') || ', ', ''),
            coalesce(a.state, a.backend_type, 'user ' || a.usename),
            to_char(a.xact_start, '" since "HH24:MI:SS TZ'))"""
# https://www.postgresql.org/docs/current/view-pg-locks.html
WAITING = text(f"""
SELECT waitstart::text AS wait, extract(epoch FROM clock_timestamp() - waitstart) AS waited,
    (SELECT string_agg({DESCRIBED}, ', ')
        FROM pg_stat_activity AS a WHERE a.pid = ANY (pg_blocking_pids(:pid))) AS blockers
FROM pg_locks WHERE pid = :pid AND NOT granted AND waitstart IS NOT NULL
""")


class Blockers:
    """The sessions that were last seen blocking, in words, and the seconds waited for locks."""

    def __init__(self) -> None:
        self.last = ""
        self._waits: dict[str, float] = {}  # by the time at which a wait began

    @property
    def waited(self) -> float:
        """Seconds in all since the last `clear`."""
        return sum(self._waits.values())

    def clear(self) -> None:
        """Forget what was seen, for another revision or a retry."""
        self.last = ""
        self._waits.clear()

    async def watch(self, connection: AsyncConnection, pid: int, interval: float) -> None:
        """Look every `interval` seconds, until cancelled.

        A wait of more than six intervals is one that no lock timeout ends, such as a concurrent
        index's for open transactions: it is logged.
        """
        logged = ""
        while True:
            for row in await connection.execute(WAITING, {"pid": pid}):
                self._waits[row.wait] = float(row.waited)
                self.last = row.blockers or self.last
                if row.waited > 6 * interval and self.last != logged:
                    logged = self.last
                    log.warning("the migration waits for %s", logged)
            await asyncio.sleep(interval)


@asynccontextmanager
async def watch_blockers(
    blockers: Blockers, database: DatabaseURL, pid: int, interval: float
) -> AsyncIterator[None]:
    """Watch the server process `pid` during the with-block; a short block never connects."""

    async def watch() -> None:
        await asyncio.sleep(interval)
        try:
            # In autocommit: a concurrent index would wait for a transaction of this connection.
            async with connect(database) as connection:
                await blockers.watch(connection, pid, interval)
        except (SQLAlchemyError, OSError) as error:  # it informs people; the migration goes on
            log.warning("who blocks whom cannot be seen: %s", type(error).__name__)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
