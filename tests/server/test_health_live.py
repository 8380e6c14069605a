"""Health of the application as uvicorn serves it, while its database is well, ill, or gone."""

import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.database_state import add_revision
from support.projects import INITIAL, Project, like_others, ok
from support.servers import PostgresServer, free_port
from support.services import DETAILED, LIMIT, Service, start

SMALL_POOL = {"DATABASE_POOL_SIZE": "2", "DATABASE_MAX_OVERFLOW": "1"}


# What a deployed service has beside health: a route that keeps a connection, as slow ones do.
HOLDING = """
import asyncio
from sqlalchemy import text
from app.api.dependencies import SessionDep
from app.main import app

@app.get("/hold")
async def hold(session: SessionDep) -> None:
    await session.execute(text("SELECT 1"))
    await asyncio.sleep(3)
"""
Serve = Callable[..., Service]


@pytest.fixture(scope="session")
def baked(compiled_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that only the environment's `DATABASE_URL` tells where its data are."""
    project = Project.adopt(compiled_project, tmp_path_factory.mktemp("health") / "project", "none")
    project.write("holding.py", HOLDING)
    return project


@pytest.fixture
def serve(baked: Project, tmp_path: Path) -> Iterator[Serve]:
    """Start the service on a URL: `serve(url, DATABASE_POOL_SIZE="1")`; its log must stay clean."""
    with ExitStack() as stack:

        def serve(url: str, **variables: str) -> Service:
            log = tmp_path / f"log{len(list(tmp_path.iterdir()))}"
            process, address = start(baked, log, "holding:app", DATABASE_URL=url, **SMALL_POOL, **variables)
            service = Service(process, address)
            stack.callback(service.stop, log)
            return service

        yield serve


@pytest.fixture(scope="session")
def migrated(baked: Project, postgres_server: PostgresServer) -> str:
    """URL of a database at the newest revision."""
    url = postgres_server.create_database()
    ok(baked.run(sys.executable, "-m", "alembic", "upgrade", "head", variables={"DATABASE_URL": url}))
    return url


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, baked: Project) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("migrated"))
    baked.run(
        sys.executable, "-m", "alembic", "upgrade", "head", variables={"DATABASE_URL": "sqlite:///a.db"}
    )
    return "sqlite+aiosqlite:///a.db"


def test_a_migrated_database_is_well(serve: Serve, database: str) -> None:
    service = serve(database, ENVIRONMENT="staging")
    assert service.get("/health")[:2] == (200, {"status": "ok"})
    for path in ("/health", "/health/database", "/health/detailed"):
        head = service.client.head(path)
        assert (head.status_code, head.content) == (200, b"")
    details = service.well()
    latency = details["database"].pop("latency_ms")
    assert 0 <= latency < 1000 * LIMIT
    assert details == {
        "status": "ok",
        "version": "0.1.0",
        "environment": "staging",
        "database": {"status": "ok", "dialect": database.partition(":")[0].partition("+")[0]},
        "pool": {"size": 2, "checked_out": 0, "overflow": 0},
        "migrations": {"current": [INITIAL], "head": [INITIAL], "pending": 0, "up_to_date": True},
    }


@pytest.mark.parametrize("kind", ["postgresql", "sqlite", "memory"])
def test_a_database_without_a_version_table_is_reachable_and_not_ready(
    serve: Serve, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    else:
        (tmp_path / "new.db").touch()
        url = "sqlite://" if kind == "memory" else f"sqlite:///{tmp_path}/new.db"
    service = serve(url)
    assert service.get("/health/database").status == 200
    (answer,) = service.get_in_time("/health/detailed")
    assert answer.status == service.client.head("/health/detailed").status_code == 503
    assert answer.body.keys() == {*DETAILED, "reason"}
    assert answer.body["status"] == "unavailable"
    assert answer.body["database"]["status"] == "ok"
    assert "1" in answer.body["reason"]
    assert "pending" in answer.body["reason"]
    assert answer.body["migrations"] == {
        "current": [],
        "head": [INITIAL],
        "pending": 1,
        "up_to_date": False,
    }
    assert service.get("/health").status == 200


def test_a_database_file_that_is_missing_is_said_to_be_and_is_not_made(serve: Serve, tmp_path: Path) -> None:
    assert serve(f"sqlite:///{tmp_path}/new.db").ill() == "no such database"
    assert not (tmp_path / "new.db").exists()


ASK = """
import asyncio, httpx
from app.main import app

async def ask():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/health/detailed")
        body = answer.json()
        print(answer.status_code, body["database"]["status"], body["migrations"]["pending"], body["reason"])

asyncio.run(ask())
"""


@pytest.mark.parametrize("fault", ["broken", "unreadable", "orphan", "env.py"])
def test_a_revision_file_that_cannot_be_read_is_named(sqlite_project: Project, fault: str) -> None:
    ok(sqlite_project.alembic("upgrade", "head"))
    user: list[str] = []
    add_revision(sqlite_project)
    path = sqlite_project.revisions()[-1]
    place = path.name
    if fault == "broken":
        sqlite_project.write(str(path), 'raise RuntimeError("s3cr3t")')
        place += ":1"
    elif fault == "unreadable":
        user = like_others()
        path.chmod(0)
    elif fault == "orphan":
        sqlite_project.edit(str(path), INITIAL, "feedc0ffee00")
        place = "a revision comes after feedc0ffee00, whose file is not there"
    else:
        sqlite_project.write("alembic/env.py", 'raise RuntimeError("s3cr3t")')
        place = "alembic/env.py:1"
    result = sqlite_project.run(*user, sqlite_project.interpreter, "-c", ASK)
    assert ok(result) == f"503 ok None this code's revisions cannot be read: {place}\n"


def test_a_database_ahead_of_the_code_is_well(
    serve: Serve, baked: Project, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    ok(baked.run(sys.executable, "-m", "alembic", "upgrade", "head", variables={"DATABASE_URL": url}))
    postgres_server.sql("UPDATE alembic_version SET version_num = 'feedc0ffee00'", url.rpartition("/")[2])
    assert serve(url).well()["migrations"] == {
        "current": ["feedc0ffee00"],
        "head": [INITIAL],
        "pending": 0,
        "up_to_date": True,
    }


def test_a_user_who_may_not_read_the_revisions_is_told_which_grant_is_missing(
    serve: Serve, baked: Project, postgres_server: PostgresServer
) -> None:
    url = postgres_server.create_database()
    name = url.rpartition("/")[2]
    ok(baked.run(sys.executable, "-m", "alembic", "upgrade", "head", variables={"DATABASE_URL": url}))
    postgres_server.sql(f"CREATE ROLE {name} LOGIN PASSWORD 's3cr3t'")
    service = serve(postgres_server.url(name, user=name, password="s3cr3t"))

    def missing(*statements: str) -> str:
        for statement in statements:
            postgres_server.sql(statement, name)
        answer = service.get("/health/detailed")
        assert answer.status == 503
        assert answer.body["database"].keys() == {"status", "dialect", "latency_ms"}  # it answers
        assert answer.body["migrations"]["pending"] is None
        return str(answer.body["reason"])

    assert missing() == "this user lacks GRANT SELECT ON public.alembic_version"
    usage = missing("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    assert usage == "this user lacks GRANT USAGE ON SCHEMA public"
    rls = missing(
        f"GRANT USAGE ON SCHEMA public TO {name}; GRANT SELECT ON alembic_version TO {name}",
        "ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY",
    )
    assert rls == "row-level security hides alembic_version from this user"
    postgres_server.sql("ALTER TABLE alembic_version DISABLE ROW LEVEL SECURITY", name)
    service.well()


def test_at_head_the_number_of_revisions_costs_nothing(sqlite_project: Project) -> None:
    script = """
import sys
from dbkit.revisions import scripts
from dbkit.status import compare_revisions
head = tuple(scripts().get_heads())
compare_revisions(head)
calls = 0
def count(*_):
    global calls
    calls += 1
sys.setprofile(count)
compare_revisions(head)
sys.setprofile(None)
print(calls)
"""
    few = ok(sqlite_project.python("-c", script))
    for _ in range(20):
        add_revision(sqlite_project)
    assert ok(sqlite_project.python("-c", script)) == few


def test_wrong_addresses_and_accounts_are_each_named(serve: Serve, postgres_server: PostgresServer) -> None:
    assert "nothing listens there" in serve(f"postgresql://app:s3cr3t@127.0.0.1:{free_port()}/d").ill()
    assert "refused the password" in serve(postgres_server.url(password="s3cr3t")).ill()
    assert "no such database" in serve(postgres_server.url("s3cr3t_database")).ill()


@pytest.mark.long
def test_a_server_that_accepts_and_says_nothing_is_given_up_in_time(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = serve(f"postgresql://app:s3cr3t@127.0.0.1:{silent.getsockname()[1]}/d")
        assert service.ill() == "no answer in time"
        service.ill_for_many()


def test_a_server_that_stands_still_under_open_connections_is_given_up_in_time_and_comes_back(
    serve: Serve, migrated: str, postgres_server: PostgresServer
) -> None:
    service = serve(migrated)
    service.well()  # so that the pool holds a connection
    with postgres_server.paused():
        assert service.ill() == "no answer in time"
        service.ill_for_many()
    service.recovers()


@pytest.mark.long
def test_a_connection_that_hangs_alone_is_replaced(
    serve: Serve, migrated: str, postgres_server: PostgresServer
) -> None:
    service = serve(migrated)
    service.well()
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    backends = postgres_server.sql(query, migrated.rpartition("/")[2]).split()
    assert backends
    with postgres_server.paused(*map(int, backends)):
        answer = service.get("/health/database")
        assert (answer.status, answer.body["reason"]) == (503, "no answer in time")
        assert answer.seconds < LIMIT + 1  # it hangs once: there is no second try
        service.recovers()


def test_a_server_that_ends_is_noticed_and_its_return_too(
    serve: Serve, migrated: str, postgres_server: PostgresServer
) -> None:
    service = serve(migrated)
    service.well()
    postgres_server.stop()
    try:
        assert "nothing listens there" in service.ill()
    finally:
        postgres_server.start()
    service.recovers()


@pytest.mark.long
def test_a_pool_that_is_used_up_is_no_healthy_service(serve: Serve, migrated: str) -> None:
    service = serve(migrated)
    service.well()
    with ThreadPoolExecutor(3) as holders:
        held = [holders.submit(service.client.get, "/hold") for _ in range(3)]
        time.sleep(0.5)
        answer = service.get("/health/detailed")
        assert answer.status == 503
        assert answer.seconds < LIMIT + 0.5  # they hold for three: there is no second try
        assert answer.body["pool"] == {"size": 2, "checked_out": 3, "overflow": 1}
        assert answer.body["reason"] == answer.body["database"]["reason"] != ""
        assert [response.result().status_code for response in held] == [200, 200, 200]
    service.recovers()


@pytest.mark.long
def test_probes_by_the_thousand_cost_the_database_two_queries_a_second(serve: Serve, migrated: str) -> None:
    service = serve(migrated)

    def queries() -> float:
        text = service.client.get("/metrics").text
        return float(re.findall(r"^database_query_seconds_count (\S+)", text, re.MULTILINE)[0])

    for _ in range(30):  # more than may come at once
        service.client.get("/health/detailed")
    before, begun = queries(), time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: service.client.get("/health/detailed"), range(1000)))
    assert {answer.status_code for answer in answers} == {200}
    looks = time.monotonic() - begun + 1
    assert queries() - before <= 2 * looks + 10  # and those of the metrics
