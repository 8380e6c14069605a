"""The engine and its sessions, made from the settings at first use."""

from collections.abc import AsyncGenerator
from functools import cache
from typing import Any

from sqlalchemy import StaticPool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.database.url import DatabaseURL, app_database
from app.settings import get_settings

SQLITE_BUSY_TIMEOUT = 30  # seconds that a statement waits while another process writes


def create_engine(database: DatabaseURL, **options: Any) -> AsyncEngine:
    """An engine on `database`; `options` are SQLAlchemy's `create_engine` keywords."""
    # A driver's error is logged by whoever catches it; the values of a statement are data.
    options.setdefault("hide_parameters", True)
    if database.in_memory:  # one connection, or each would be a database of its own
        options.setdefault("poolclass", StaticPool)
    engine = create_async_engine(database.url, connect_args=database.connect_args, **options)
    if database.dialect == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Both are off or short in each new connection: https://www.sqlite.org/pragma.html."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT * 1000}")
    cursor.close()


@cache
def get_engine() -> AsyncEngine:
    """The application's engine. Raises `SettingsError`; connects to nothing yet."""
    settings = get_settings()
    database = app_database()
    pool: dict[str, Any] = {}
    if not database.in_memory:
        pool = {
            "pool_size": settings.database_pool_size,
            "max_overflow": settings.database_max_overflow,
            "pool_timeout": settings.database_pool_timeout,
        }
    return create_engine(database, echo=settings.database_echo, pool_pre_ping=True, **pool)


@cache
def get_session_factory() -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after a commit, which async code needs."""
    return async_sessionmaker(get_engine(), expire_on_commit=False)


async def get_db_session() -> AsyncGenerator[AsyncSession]:
    """A session for one request: whoever uses it commits, and closing rolls the rest back.

    It closes after the response, also where an error or the end of the request cuts it short.
    """
    async with get_session_factory()() as session:
        yield session
