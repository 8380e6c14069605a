"""The engine and its sessions, made from the settings at first use."""

from collections.abc import AsyncGenerator
from functools import cache
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.settings import get_settings
from dbkit.connection import (
    DatabaseURL,
    Readers,
    app_database,
    close,
    create_engine,
    replica_database,
    report_unavailable,
    try_idle_connections,
)
from dbkit.metrics import MeasuredPool, measure, measure_pool

REPLICA_WITHIN = 2.0  # seconds for a connection to the replica; then the primary is read


def _create_engine(database: DatabaseURL, *, gives_up_after: float | None = None) -> AsyncEngine:
    settings = get_settings()
    pool: dict[str, Any] = {}
    if not database.in_memory:  # which is one connection
        pool = {
            "poolclass": MeasuredPool,
            "pool_size": settings.database_pool_size,
            "max_overflow": settings.database_max_overflow,
            "pool_timeout": settings.database_pool_timeout,
        }
    engine = create_engine(database, echo=settings.database_echo, **pool)
    measure(engine)
    try_idle_connections(engine, within=gives_up_after)
    report_unavailable(
        engine,
        connect_within=gives_up_after or settings.database_pool_timeout,
        answer_within=settings.database_statement_timeout,
    )
    return engine


@cache
def get_engine() -> AsyncEngine:
    """Return the application's engine, which has not connected yet. Raises `SettingsError`."""
    engine = _create_engine(app_database())
    measure_pool(engine)
    return engine


@cache
def get_readers() -> Readers:
    """Return where sessions that only read connect to. Raises `SettingsError`."""
    database = replica_database()
    replica = _create_engine(database, gives_up_after=REPLICA_WITHIN) if database else None
    return Readers(get_engine(), replica)


async def dispose() -> None:
    """Close all connections."""
    try:
        await get_readers().dispose()
    finally:
        await get_engine().dispose()


@cache
def get_session_factory() -> async_sessionmaker[AsyncSession]:
    """Return a factory of sessions whose objects stay readable after a commit."""
    return async_sessionmaker(get_engine(), expire_on_commit=False)


async def get_db_session() -> AsyncGenerator[AsyncSession]:
    """Yield a session for one request: whoever uses it commits, and closing rolls the rest back.

    It closes after the response, also if an error or the end of the request cuts it short.
    """
    session = get_session_factory()()
    try:
        yield session
    finally:
        await close(session)


async def get_read_session() -> AsyncGenerator[AsyncSession]:
    """Yield a session for a request that only reads: what writes through it fails.

    It reads from the replica, which may be a moment behind, where there is one.
    """
    async with get_readers().bind() as bind:
        session = get_session_factory()(bind=bind)
        try:
            yield session
        finally:
            await close(session)
