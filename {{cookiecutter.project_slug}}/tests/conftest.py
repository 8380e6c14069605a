"""A throwaway database built by the migrations; each test is rolled back.

It is made beside `TEST_DATABASE_URL`, or beside the configured database where that is unset, and
neither of them is written to. Every process of pytest-xdist makes one of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from alembic import command
from httpx import ASGITransport, AsyncClient
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.database import get_db_session, get_engine
from app.main import app
from dbkit.config import alembic_config
from dbkit.connection import DatabaseURL, create_engine, throwaway_database, throwaway_home
from dbkit.errors import DatabaseUnavailable, SettingsError
from dbkit.signals import end_like_ctrl_c

end_like_ctrl_c()


def _throwaway() -> Iterator[DatabaseURL]:
    # A fixture that is not async can run Alembic, which starts an event loop of its own.
    with asyncio.Runner() as runner:
        try:
            made = throwaway_database(throwaway_home())
            database = runner.run(made.__aenter__())
        except (DatabaseUnavailable, SettingsError) as error:
            pytest.exit(str(error), returncode=1)
        try:
            yield database
        finally:
            runner.run(made.__aexit__(None, None, None))


@pytest.fixture
def empty_database() -> Iterator[DatabaseURL]:
    """A database without a table, for one test."""
    yield from _throwaway()


@pytest.fixture(scope="session")
def database() -> Iterator[DatabaseURL]:
    """A database at the newest revision, for all tests: they leave no trace in it."""
    for database in _throwaway():
        command.upgrade(alembic_config(database), "head")
        yield database


@pytest.fixture
async def engine(database: DatabaseURL) -> AsyncIterator[AsyncEngine]:
    """An engine on `database`. Whatever is committed through it stays: prefer `session`."""
    engine = create_engine(database, poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A session that may commit and roll back: it works in savepoints of a transaction that ends
    with the test, so that nothing remains.

    https://docs.sqlalchemy.org/en/21/orm/session_transaction.html#joining-a-session-into-an-external-transaction-such-as-for-test-suites
    """
    async with engine.connect() as connection:
        transaction = await connection.begin()
        if connection.dialect.name == "sqlite":
            # Python's driver begins before a change only, which would be inside the savepoint.
            await connection.exec_driver_sql("BEGIN")
        async with AsyncSession(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
        await transaction.rollback()


@pytest.fixture
async def client(engine: AsyncEngine, session: AsyncSession) -> AsyncIterator[AsyncClient]:
    """A client of the application, which works in `session`."""
    app.dependency_overrides[get_engine] = lambda: engine
    app.dependency_overrides[get_db_session] = lambda: session
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()
