"""The engine and its sessions, made from the settings at first use."""

from collections.abc import AsyncGenerator
from functools import cache
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.settings import get_settings
from dbkit.connection import (
    app_database,
    close,
    create_engine,
    report_unavailable,
    try_idle_connections,
)
from dbkit.metrics import MeasuredPool, measure


@cache
def get_engine() -> AsyncEngine:
    """Return the application's engine, which has not connected yet. Raises `SettingsError`."""
    settings = get_settings()
    database = app_database()
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
    try_idle_connections(engine)
    report_unavailable(
        engine,
        connect_within=settings.database_pool_timeout,
        answer_within=settings.database_statement_timeout,
    )
    return engine


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
