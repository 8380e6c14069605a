"""PgBouncer in transaction mode: the application runs through it, migrations go past it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.database_state import dump
from support.poolers import running_pooler
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer

pytestmark = pytest.mark.slow
WITHOUT_CACHES = "?statement_cache_size=0&prepared_statement_cache_size=0"

# Each session has a connection of its own to the pooler, which has eight to the server.
CROWD = """\
import asyncio
from sqlalchemy import select
from app.database import get_engine, get_session_factory
from app.models.user import User

most = 0

async def visit(number):
    global most
    async with get_session_factory()() as session:
        user = User(email=f"u{number}@example.com", name="x")
        session.add(user)
        await session.flush()
        most = max(most, get_engine().pool.checkedout())
        await session.commit()
        user.name = "y"
        await session.commit()
        assert await session.scalar(select(User.name).where(User.id == user.id)) == "y"

async def main():
    await asyncio.gather(*(visit(number) for number in range(200)))
    print(most, "at once")
    await get_engine().dispose()

asyncio.run(main())
"""

# As a request does it, which answers with the reason.
HEALTH = """\
import asyncio
import httpx
from app.main import app

async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for _ in range(5):
            answer = await client.get("/health/detailed")
            print(answer.status_code, answer.text)

asyncio.run(main())
"""


@pytest.fixture(scope="session")
def port(postgres_server: PostgresServer) -> Iterator[int]:
    """Where a PgBouncer listens."""
    with running_pooler(postgres_server) as port:
        yield port


@pytest.fixture
def pooled(postgresql_project: Project, postgres_server: PostgresServer, port: int) -> str:
    """The URL of the project's database behind the pooler."""
    return postgresql_project.url.replace(f":{postgres_server.port}/", f":{port}/")


def configure(project: Project, url: str, *, direct: bool = False) -> None:
    """Write `.env`; with `direct`, the server's own URL for migrations too."""
    second = f"MIGRATION_DATABASE_URL={project.url}\n" if direct else ""
    project.write(".env", f"DATABASE_URL={url}\n{second}")


@pytest.mark.parametrize("options", [WITHOUT_CACHES, ""], ids=["caches off", "caches on"])
def test_a_migration_through_a_pooler_is_refused_and_leaves_no_trace(
    postgresql_project: Project, pooled: str, options: str
) -> None:
    project = postgresql_project
    ok(project.alembic("upgrade", "head"))
    before = dump(project, all_of_it=True)
    configure(project, pooled + options)
    for command in (("downgrade", "-1"), ("stamp", "base"), ("downgrade", "base")):
        # The second and third find what asyncpg left in the session of the first.
        assert "MIGRATION_DATABASE_URL" in refusal(project.alembic(*command))
    assert dump(project, all_of_it=True) == before
    # The session is in the pooler's hands now, and the next client's, unless the pooler has closed it.
    [(names,)] = project.sql(
        "SELECT array_agg(DISTINCT application_name) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert names in ([""], None)


def test_with_the_servers_own_url_everything_works_behind_a_pooler(
    postgresql_project: Project, pooled: str
) -> None:
    project = postgresql_project
    configure(project, pooled + WITHOUT_CACHES)
    assert "Running upgrade" not in ok(project.alembic("current"))
    assert "MIGRATION_DATABASE_URL" in refusal(project.make("migration-check"))

    configure(project, pooled + WITHOUT_CACHES, direct=True)
    assert "pending" in refusal(project.make("migration-check"))
    ok(project.make("migrate"))
    assert f"{INITIAL} (head)" in ok(project.alembic("current"))
    assert "nothing is pending" in ok(project.make("migration-check"))
    ok(project.make("db-test"))


def test_200_sessions_at_once_run_through_a_pooler(postgresql_project: Project, pooled: str) -> None:
    project = postgresql_project
    configure(project, pooled + WITHOUT_CACHES, direct=True)
    ok(project.alembic("upgrade", "head"))
    result = project.python("-c", CROWD, DATABASE_POOL_SIZE="200", DATABASE_MAX_OVERFLOW="0")
    assert "200 at once" in ok(result)
    assert project.sql("SELECT count(*) FROM users WHERE name = 'y'") == [(200,)]
    healthy = ok(project.python("-c", HEALTH))
    assert healthy.count('200 {"status":"ok"') == 5, healthy


def test_without_the_two_options_the_reason_is_one_line_that_names_them(
    postgresql_project: Project, pooled: str
) -> None:
    project = postgresql_project
    configure(project, pooled, direct=True)
    ok(project.alembic("upgrade", "head"))
    ok(project.make("db-test"))
    configure(project, pooled)
    line = refusal(project.make("db-test"))
    assert "statement_cache_size=0&prepared_statement_cache_size=0 in DATABASE_URL" in line
    assert "MIGRATION_DATABASE_URL" in line
    assert INITIAL in ok(project.make("migration-current"))  # a migration's connection caches nothing
    assert "a connection pooler stands before it" in ok(project.python("-c", HEALTH))


def test_the_documents_name_the_same_options(default_project: Path) -> None:
    assert WITHOUT_CACHES in (default_project / "README.md").read_text("utf-8")
