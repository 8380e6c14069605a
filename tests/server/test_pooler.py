"""PgBouncer: in transaction mode migrations go past it, in session mode they go through it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from support.database_state import add_revision, dump
from support.poolers import running_pooler
from support.processes import Session, applied, read_until, start, start_process, succeeded, wait_until
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
    for first in (0, 200):  # the second time, on connections that have prepared their statements
        await asyncio.gather(*(visit(number) for number in range(first, first + 200)))
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


def test_a_pool_of_many_sessions_is_refused_too(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    """The session that was lent first is the last to be lent again, so nobody meets its lock."""
    project = postgresql_project
    with running_pooler(postgres_server, more="server_round_robin = 1") as port:
        url = project.url.replace(f":{postgres_server.port}/", f":{port}/")

        async def use_several_sessions() -> None:
            clients = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(4)]
            await asyncio.gather(*(client.execute("SELECT pg_sleep(0.1)") for client in clients))
            for client in clients:
                await client.close()

        asyncio.run(use_several_sessions())
        before = dump(project, all_of_it=True)
        line = refusal(project.make("migrate", DATABASE_URL=url))
        assert "a connection pooler in transaction mode stands before the database" in line
        assert dump(project, all_of_it=True) == before
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert project.sql(held) == [(0,)]


def test_a_pooler_in_session_mode_holds_the_lock_of_a_migration(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    # It does not clean up what a client leaves in a session, as it does by default.
    with running_pooler(postgres_server, "session", more="server_reset_query =") as port:
        url = project.url.replace(f":{postgres_server.port}/", f":{port}/")
        ok(project.make("migrate", DATABASE_URL=url))
        traces = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert project.sql(traces) == [(0,)]

        async def ask(query: str) -> object:
            connection = await asyncpg.connect(url)
            try:
                return await connection.fetchval(query)
            finally:
                await connection.close()

        assert asyncio.run(ask("SHOW lock_timeout")) == "0"
        assert asyncio.run(ask("SHOW application_name")) == ""

        add_revision(project, 'op.execute("CREATE TABLE slow AS SELECT 1 AS n FROM pg_sleep(0.5)")')
        add_revision(project, 'op.execute("CREATE TABLE quick (n INTEGER)")')
        processes = [start(project, "upgrade", "head", DATABASE_URL=url) for _ in range(3)]
        printed = [succeeded(process) for process in processes]
        assert sum(text.count("Ran upgrade") for text in printed) == 2
        assert any("waiting for another migration: migration on " in text for text in printed)
        assert project.version() == ["step02"]
        assert "step02" in ok(project.make("migration-current", DATABASE_URL=url))
        ok(project.make("migration-down", "REV=base", DATABASE_URL=url))


def test_a_migration_that_is_killed_behind_a_pooler_in_session_mode_can_be_repeated(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    add_revision(project, 'op.execute("LOCK TABLE users")', downgrade="pass")
    with running_pooler(postgres_server, "session") as port, Session(project) as holder:
        url = project.url.replace(f":{postgres_server.port}/", f":{port}/")
        holder.run("BEGIN", "LOCK TABLE users")
        process = start_process(project, "upgrade", "head", DATABASE_URL=url, MIGRATION_LOCK_TIMEOUT="60")
        wait_until(holder.somebody_waits)
        process.kill()
        process.communicate()
        again = start(project, "upgrade", "head", DATABASE_URL=url, MIGRATION_LOCK_TIMEOUT="0.2")
        assert f"process {holder.pid}" in read_until(again, "try 2 follows")
        holder.run("COMMIT")
        assert "Ran upgrade" in succeeded(again)
    assert "step01" in applied(project)


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
    assert project.sql("SELECT count(*) FROM users WHERE name = 'y'") == [(400,)]
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
    assert "the app needs DATABASE_POOLER=transaction" in line
    assert "MIGRATION_DATABASE_URL" in line
    assert INITIAL in ok(project.make("migration-current"))  # a migration's connection caches nothing
    assert "a connection pooler stands before it" in ok(project.python("-c", HEALTH))
    healthy = ok(project.python("-c", HEALTH, DATABASE_POOLER="transaction"))
    assert healthy.count('200 {"status":"ok"') == 5, healthy


def test_the_documents_name_the_same_options(default_project: Path) -> None:
    assert WITHOUT_CACHES in (default_project / "README.md").read_text("utf-8")
