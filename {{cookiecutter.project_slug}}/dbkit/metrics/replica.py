"""How far a replica is behind, read at a scrape: seldom, and within a limit."""

import math
import time
from contextlib import suppress
from functools import cache

from prometheus_client import Gauge
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dbkit.connection import create_engine, query_within, replica_database
from dbkit.errors import DatabaseUnavailable

WITHIN = 1.5  # seconds; Prometheus waits for ten
EVERY = 10.0  # seconds; between, a scrape gets the same values

LAG = Gauge(
    "database_replica_lag_seconds",
    "How old what the replica shows may be; NaN without a replica, and while it does not answer.",
)
LAG.set(math.nan)
# Who has replayed all that the primary sent is not behind, however long nobody has written. That
# holds only while it is connected to the primary.
# https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
QUERY = text("""
SELECT CASE
    WHEN NOT pg_is_in_recovery() THEN 0
    WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
        AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) THEN 0
    ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
END
""")
_next = 0.0


@cache
def _engine() -> AsyncEngine | None:
    database = replica_database()
    return create_engine(database, poolclass=NullPool) if database else None


async def refresh_replica() -> None:
    """Ask the replica again, if there is one and that was not done a moment ago."""
    global _next
    engine = _engine()
    if engine is None or time.monotonic() < _next:
        return
    _next = time.monotonic() + EVERY
    LAG.set(math.nan)
    with suppress(DatabaseUnavailable):
        lag = await query_within(WITHIN, engine, _lag)
        LAG.set(math.nan if lag is None else max(0.0, lag))


async def _lag(connection: AsyncConnection) -> float | None:
    lag = await connection.scalar(QUERY)
    return None if lag is None else float(lag)
