"""What runs and ran on a database, read at a scrape: seldom, and within a limit."""

import asyncio
import math
import time
from contextlib import suppress
from functools import cache

from prometheus_client import Gauge
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine

from dbkit.connection import app_database, create_engine, query_within
from dbkit.environment import load_options
from dbkit.errors import DatabaseUnavailable
from dbkit.history import Summary, summarize
from dbkit.metrics.activity import oldest_transaction
from dbkit.metrics.drift import refresh_drift
from dbkit.status import compare_revisions, current_revisions

WITHIN = 1.5  # seconds for each of three questions; Prometheus waits for ten
EVERY = 10.0  # seconds; between, a scrape gets the same values

UP = Gauge("database_up", "Whether the database answers.")
OLDEST = Gauge("database_oldest_transaction_seconds", "Age of the oldest transaction that is open.")
PENDING = Gauge("migrations_pending", "Revisions of this code that the database does not have.")
REVISIONS = Gauge("migrations_revisions", "Revisions in the history.", ["direction", "outcome"])
RETRIES = Gauge("migrations_retries", "Retries after a lock timeout, of all revisions.")
LAST_RUN = {
    "started_at": Gauge("migrations_last_timestamp_seconds", "When the last run began."),
    "duration": Gauge("migrations_last_duration_seconds", "How long its revisions took."),
    "lock_wait": Gauge("migrations_last_lock_wait_seconds", "How long it waited for locks."),
    "locks_held": Gauge(
        "migrations_last_locks_held_seconds", "How long its longest transaction held locks."
    ),
    "failed": Gauge("migrations_last_failed", "Whether it failed: revisions that did."),
}
for gauge in (OLDEST, PENDING, RETRIES, *LAST_RUN.values()):
    gauge.set(math.nan)  # until it is known
_next = 0.0


@cache
def _engine() -> AsyncEngine:
    """Return an engine beside the application's, whose pool may be used up."""
    return create_engine(app_database(), poolclass=NullPool)


async def refresh_migrations() -> None:
    """Read again, if that was not done a moment ago.

    Of a database that does not answer, and of a table that this user may not read, the values
    stay as they were.
    """
    global _next
    if time.monotonic() < _next:
        return
    _next = time.monotonic() + EVERY
    engine = _engine()
    try:
        OLDEST.set(await query_within(WITHIN, engine, oldest_transaction))
    except DatabaseUnavailable:
        UP.set(0)
        return
    UP.set(1)
    with suppress(DatabaseUnavailable):
        current = await query_within(WITHIN, engine, current_revisions)
        PENDING.set((await asyncio.to_thread(compare_revisions, current)).pending)
        refresh_drift(app_database(), load_options())  # which has been read by now
    with suppress(DatabaseUnavailable):
        _show(await query_within(WITHIN, engine, lambda one: one.run_sync(summarize)))


def _show(summary: Summary) -> None:
    for labels, count in summary.counts.items():
        REVISIONS.labels(*labels).set(count)
    RETRIES.set(summary.retries)
    for name, value in summary.last_run.items():
        LAST_RUN[name].set(value)
