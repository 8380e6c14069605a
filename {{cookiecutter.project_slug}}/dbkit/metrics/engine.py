"""Measures an engine: its pool, and the time of its statements.

https://prometheus.github.io/client_python/
"""

import logging
import time
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection

from dbkit.connection import FairPool

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
WAITED = Histogram(
    "database_pool_wait_seconds",
    "Time until a request had a connection: waiting for a free one, trying or making it.",
    buckets=SECONDS,
)
TIMEOUTS = Counter(
    "database_pool_timeouts", "Requests that had no connection within DATABASE_POOL_TIMEOUT."
)
QUERIES = Histogram("database_query_seconds", "Time of a statement.", buckets=SECONDS)
ERRORS = Counter("database_query_errors", "Statements that failed.")
SIZE = Gauge("database_pool_size", "Connections that stay open: DATABASE_POOL_SIZE.")
CHECKED_OUT = Gauge("database_pool_checked_out", "Connections that are in use.")
OVERFLOW = Gauge("database_pool_overflow", "Connections above the size.")
BEGUN = "statement begun"


# SQLAlchemy's pools have a logger of this name each, and theirs say nothing below warnings.
logging.getLogger(f"{__name__}.MeasuredPool").setLevel(logging.WARNING)


class MeasuredPool(FairPool):
    """A pool that knows how long requests wait for a connection: `poolclass` of an engine."""

    def connect(self) -> PoolProxiedConnection:
        """Return a connection, as any pool does. Raises `sqlalchemy.exc.TimeoutError`."""
        begun = time.perf_counter()
        try:
            return super().connect()
        except PoolTimeout:
            TIMEOUTS.inc()
            raise
        finally:
            WAITED.observe(time.perf_counter() - begun)


def measure(engine: AsyncEngine) -> None:
    """Measure all statements of `engine`."""
    event.listen(engine.sync_engine, "before_cursor_execute", _begin)
    event.listen(engine.sync_engine, "after_cursor_execute", _end)
    event.listen(engine.sync_engine, "handle_error", _count_error)


def measure_pool(engine: AsyncEngine) -> None:
    """Show the pool of one engine, the application's, if that is a `MeasuredPool`."""

    def of_pool(name: str) -> float:
        pool = engine.pool
        return float(getattr(pool, name)()) if isinstance(pool, MeasuredPool) else 0

    for gauge, name in ((SIZE, "size"), (CHECKED_OUT, "checkedout"), (OVERFLOW, "overflow")):
        gauge.set_function(lambda name=name: of_pool(name))  # type: ignore[misc]


def _begin(connection: Connection, *_others: Any) -> None:
    connection.info[BEGUN] = time.perf_counter()


def _end(connection: Connection, *_others: Any) -> None:
    QUERIES.observe(time.perf_counter() - connection.info[BEGUN])


def _count_error(context: ExceptionContext) -> None:
    if context.statement is not None:
        ERRORS.inc()
