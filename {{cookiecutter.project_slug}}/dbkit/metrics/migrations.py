"""What ran on a database, from its history, read at a scrape: seldom, and within a limit."""

import asyncio
import math
import time
from contextlib import suppress
from functools import cache

from prometheus_client import Gauge
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine

from dbkit.connection import app_database, create_engine, query_within
from dbkit.errors import DatabaseUnavailable
from dbkit.history import Summary, summarize
from dbkit.status import compare_revisions, current_revisions

WITHIN = 1.5  # seconds; Prometheus waits for ten
EVERY = 10.0  # seconds; between, a scrape gets the same values

UP = Gauge("database_up", "Whether the database answers.")
PENDING = Gauge("migrations_pending", "Revisions of this code that the database does not have.")
REVISIONS = Gauge("migrations_revisions", "Revisions in the history.", ["direction", "outcome"])
RETRIES = Gauge("migrations_retries", "Retries after a lock timeout, of all revisions.")
NEWEST = {
    "started_at": Gauge("migrations_last_timestamp_seconds", "When the newest revision ran."),
    "duration": Gauge("migrations_last_duration_seconds", "How long the newest revision took."),
    "lock_wait": Gauge("migrations_last_lock_wait_seconds", "How long it waited for locks."),
    "locks_held": Gauge("migrations_last_locks_held_seconds", "How long it held locks."),
}
for gauge in (PENDING, RETRIES, *NEWEST.values()):
    gauge.set(math.nan)  # until it is known
_next = 0.0


@cache
def _engine() -> AsyncEngine:
    """Return an engine beside the application's, whose pool may be used up."""
    return create_engine(app_database(), poolclass=NullPool)


async def refresh_migrations() -> None:
    """Read the history again, if that was not done a moment ago.

    Of a database that does not answer, and of a history that this user may not read, the values
    stay as they were.
    """
    global _next
    if time.monotonic() < _next:
        return
    _next = time.monotonic() + EVERY
    UP.set(0)
    engine = _engine()
    with suppress(DatabaseUnavailable):
        current = await query_within(WITHIN, engine, current_revisions)
        UP.set(1)
        PENDING.set((await asyncio.to_thread(compare_revisions, current)).pending)
        _show(await query_within(WITHIN, engine, lambda one: one.run_sync(summarize)))


def _show(summary: Summary) -> None:
    for labels, count in summary.counts.items():
        REVISIONS.labels(*labels).set(count)
    RETRIES.set(summary.retries)
    for name, value in summary.newest.items():
        NEWEST[name].set(value)
