"""A throwaway database built by the migrations; each test is rolled back.

It is made beside `TEST_DATABASE_URL`, or beside the configured database where that is unset, and
neither of them is written to. Every process of pytest-xdist makes one of its own.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError
from httpx import ASGITransport, AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from dbkit.config import alembic_config
from dbkit.connection import DatabaseURL
from dbkit.errors import DatabaseUnavailable, SettingsError
from dbkit.signals import end_like_ctrl_c
from dbkit.testing import (
    isolated,
    pytest_pyfunc_call,  # noqa: F401 - a hook, which pytest finds here
    use_throwaway_database,
)

end_like_ctrl_c()

# Fixtures in a file of their own beside this one: fixtures_*.py.
pytest_plugins = sorted(file.stem for file in Path(__file__).parent.glob("fixtures_*.py"))

# Before `app` is imported, so that whatever asks for the database there gets the throwaway one.
try:
    THROWAWAY = use_throwaway_database()
except SettingsError as error:
    raise SystemExit(str(error)) from None

from app.database import get_engine, get_session_factory  # noqa: E402
from app.main import app  # noqa: E402


@pytest.fixture(scope="session")
def database() -> Iterator[DatabaseURL]:
    """The database of all tests, at the newest revision. They leave no trace in it."""
    try:
        with THROWAWAY.created() as database:
            command.upgrade(alembic_config(database), "head")
            yield database
    except (CommandError, DatabaseUnavailable) as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture
def empty_database() -> Iterator[DatabaseURL]:
    """A database without a table, for one test. The application does not use it."""
    with THROWAWAY.another() as database:
        yield database


@pytest.fixture(autouse=True)
def isolation(request: pytest.FixtureRequest, database: DatabaseURL) -> Iterator[None]:
    """Roll back what the application does in a test, whoever asks it to, on any event loop.

    All its sessions share one connection. With `@pytest.mark.own_connections` each has its own, to
    a copy of the database, and a commit is final.
    """
    if request.node.get_closest_marker("own_connections") is None:
        with isolated(get_engine()):
            yield
    else:
        with THROWAWAY.another(copied=True) as copy, isolated(get_engine(), copy.name):
            yield


@pytest.fixture
async def session() -> AsyncIterator[AsyncSession]:
    """A session of the application, to prepare rows, which it commits, and to look at them."""
    async with get_session_factory()() as session:
        yield session


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    """A client of the application, without a server. Each request has a session of its own."""
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client
