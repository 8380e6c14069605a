"""A real replica: who reads from it, and what a failover costs."""

import math
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from support.commands import ALEMBIC
from support.poolers import running_pooler
from support.processes import wait_until
from support.projects import Project, ok, refusal
from support.replicas import in_step, promote, running_pair, url_of_all
from support.servers import PostgresServer, free_port, running_server
from support.services import start

pytestmark = [pytest.mark.slow, pytest.mark.long]

# Beside the example: what says which server was read, and what writes where it must not.
ROUTES = """
from fastapi import APIRouter
from sqlalchemy import text, update
from app.api.dependencies import ReadSessionDep
from app.models.user import User

router = APIRouter(prefix="/tried")

@router.get("/where")
async def where(session: ReadSessionDep) -> str:
    return await session.scalar(text("SELECT current_setting('port')"))

@router.post("/orm")
async def orm(session: ReadSessionDep) -> None:
    session.add(User(email="ada@example.com", name="Ada"))
    await session.commit()

@router.post("/core")
async def core(session: ReadSessionDep) -> None:
    await session.execute(update(User).values(name="B"))
    await session.commit()

# What a replica says to a statement that the primary's changes are in the way of.
@router.get("/cancelled")
async def cancelled(session: ReadSessionDep) -> None:
    error = "RAISE EXCEPTION 'in recovery' USING ERRCODE = 'serialization_failure'"
    await session.execute(text(f"DO $$ BEGIN {error}; END $$"))
"""
ADA = {"email": "ada@example.com", "name": "Ada"}
SMALL_POOL = {"DATABASE_POOL_SIZE": "2", "DATABASE_MAX_OVERFLOW": "1"}

Serve = Callable[..., httpx.Client]
Pair = tuple[PostgresServer, PostgresServer]


@pytest.fixture(scope="session")
def example(compiled_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.adopt(compiled_project, tmp_path_factory.mktemp("replica") / "project", "none")
    project.write("app/api/tried.py", ROUTES)
    return project


@pytest.fixture
def serve(example: Project, tmp_path: Path) -> Iterator[Serve]:
    """Serve the example on a database, and return a client; `tmp_path` holds the logs: log0, log1."""
    with ExitStack() as stack:

        def serve(url: str, **others: str) -> httpx.Client:
            variables = {"DATABASE_URL": url, "MIGRATE_ON_START": "true", **SMALL_POOL, **others}
            log = tmp_path / f"log{len(list(tmp_path.glob('log*')))}"
            process, address = start(example, log, "app.main:app", "--log-level=warning", **variables)
            stack.callback(process.wait, 30)
            stack.callback(process.send_signal, signal.SIGINT)
            return stack.enter_context(httpx.Client(base_url=address, timeout=30, trust_env=False))

        yield serve


@pytest.fixture
def pair() -> Iterator[Pair]:
    with running_pair() as pair:
        yield pair


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


def where(client: httpx.Client) -> int:
    """The port of the server that a request has read from."""
    answer = client.get("/tried/where")
    assert answer.status_code == 200, answer.text
    return int(answer.json())


def add(client: httpx.Client, number: int) -> httpx.Response:
    return client.post("/users", json={"email": f"{number}@example.com", "name": "N"})


def lag(client: httpx.Client) -> float:
    found = re.search(r"^database_replica_lag_seconds (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert found
    return float(found[1])


@pytest.mark.first_on("postgresql")
def test_what_writes_through_a_session_that_only_reads_fails_loudly(
    serve: Serve, url: str, tmp_path: Path
) -> None:
    client = serve(url)
    created = client.post("/users", json=ADA)
    for path in ("/tried/orm", "/tried/core"):
        assert client.post(path).status_code == 500, path
        # Its connection is as good for writing as before.
        changed = client.patch(created.headers["Location"], json={"name": "Countess"})
        assert changed.status_code == 200, changed.text
    assert [user["name"] for user in client.get("/users").json()["items"]] == ["Countess"]
    said = (tmp_path / "log0").read_text()
    assert said.count("in a read-only transaction") + said.count("write a readonly database") >= 2
    assert math.isnan(lag(client))


@pytest.mark.parametrize(
    ("replica", "said"),
    [
        ("postgresql://u:s3cr3t@h/d", "DATABASE_REPLICA_URL: SQLite has no replica; unset it"),
        ("mysql://u:s3cr3t@h/d", "DATABASE_REPLICA_URL: begins with neither"),
    ],
)
def test_a_replica_that_cannot_be_one_is_refused_in_one_line(
    sqlite_project: Project, replica: str, said: str
) -> None:
    command = ("-m", "uvicorn", "app.main:app", "--port=0")
    result = sqlite_project.python(*command, DATABASE_REPLICA_URL=replica)
    assert result.returncode != 0
    printed = (result.stdout + result.stderr).splitlines()
    lines = [line for line in printed if "[info " not in line]
    assert said in lines[0]
    assert len(lines) == 2, lines  # the server adds that it exits
    assert "s3cr3t" not in "".join(lines)


READ = """
import pytest
from httpx import AsyncClient
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import get_read_session
from app.models.user import User


async def test_what_is_not_kept_is_read(session: AsyncSession) -> None:
    session.add(User(email="ada@example.com", name="Ada"))
    await session.commit()
    async for reading in get_read_session():
        [found] = await reading.scalars(User.__table__.select())
        assert found
        reading.add(User(email="bob@example.com", name="Bob"))
        with pytest.raises(DBAPIError, match="read-?only"):
            await reading.flush()
    session.add(User(email="bob@example.com", name="Bob"))
    await session.commit()


async def test_nothing_was_kept(client: AsyncClient) -> None:
    assert (await client.get("/users")).json()["items"] == []


@pytest.mark.own_connections
async def test_each_has_its_own(session: AsyncSession) -> None:
    async for reading in get_read_session():
        await reading.scalars(User.__table__.select())
        session.add(User(email="ada@example.com", name="Ada"))
        await session.commit()
        reading.add(User(email="bob@example.com", name="Bob"))
        with pytest.raises(DBAPIError, match="read-?only"):
            await reading.flush()
"""


@pytest.mark.long
@pytest.mark.first_on("postgresql")
def test_in_tests_of_a_project_no_replica_is_asked_and_what_only_reads_writes_nothing(
    project: Project,
) -> None:
    replica = f"postgresql://app:hidden@127.0.0.1:{free_port()}/app"
    project.write(".env", f"DATABASE_URL={project.url}\nDATABASE_REPLICA_URL={replica}\n")
    project.write("tests/test_read.py", READ)
    printed = ok(project.python("-m", "pytest", "-q", "tests/test_read.py", "tests/test_users.py"))
    assert "passed" in printed


def test_waiting_requests_learn_at_once_that_a_server_refuses(serve: Serve, tmp_path: Path) -> None:
    nowhere = f"postgresql://app:hidden@127.0.0.1:{free_port()}/app"
    client = serve(nowhere, MIGRATE_ON_START="false", DATABASE_POOL_TIMEOUT="10")
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: client.get("/users"), range(20)))
    assert {answer.status_code for answer in answers} == {503}
    slowest = max(answer.elapsed.total_seconds() for answer in answers)
    assert slowest < 5, f"a request waited {slowest:.1f} s for a place in the pool"
    said = (tmp_path / "log0").read_text()
    assert said.count("the database is unavailable: nothing listens there") == 20


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.long
def test_a_host_that_is_silent_hides_no_other_one(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    with silent_server() as port:
        hosts = f"@127.0.0.1:{port},127.0.0.1:{postgres_server.port}/"
        url = project.url.replace(f"@127.0.0.1:{postgres_server.port}/", hosts)
        url += "?target_session_attrs=primary&connect_timeout=1"
        begun = time.monotonic()
        result = project.python("-c", TWICE, DATABASE_URL=url)
        assert result.returncode == 0, f"the second host was not asked: {result.stderr[-300:]}"
        first, second = map(float, result.stdout.split())
        assert 1 <= first < 5
        assert second < 0.9, "the host that was the primary is asked first"
        assert time.monotonic() - begun < 15


TWICE = """
import asyncio, time
from dbkit.connection import app_database, connect

async def main():
    for _ in range(2):
        begun = time.monotonic()
        async with connect(app_database()):
            print(time.monotonic() - begun)

asyncio.run(main())
"""


@pytest.mark.long
def test_a_server_that_is_silent_is_waited_for_no_longer_than_migration_wait(
    sqlite_project: Project,
) -> None:
    with silent_server() as port:
        silent = {"DATABASE_URL": f"postgresql://app:hidden@127.0.0.1:{port}/app", "MIGRATION_WAIT": "1.5"}
        begun = time.monotonic()
        line = refusal(
            sqlite_project.run(sqlite_project.interpreter, *ALEMBIC, "upgrade", "head", variables=silent)
        )
        assert "gave up after 1.5 s (MIGRATION_WAIT): waiting for 127.0.0.1" in line
        assert "no answer in time" in line
        waited = time.monotonic() - begun
        assert waited < 8, f"it took {waited:.1f} s"


@pytest.mark.long
def test_a_replica_is_read_and_the_primary_only_while_it_is_gone(
    serve: Serve, pair: Pair, tmp_path: Path
) -> None:
    primary, replica = pair
    url = primary.create_database("app")
    in_step(primary, replica)
    client = serve(url, DATABASE_REPLICA_URL=replica.url("app"))
    created = client.post("/users", json=ADA)
    in_step(primary, replica)
    assert where(client) == replica.port
    assert client.get("/users").json()["items"] == [created.json()]
    for path in ("/tried/orm", "/tried/core"):
        assert client.post(path).status_code == 500, path
    again = client.get("/tried/cancelled")
    assert (again.status_code, again.headers.get("Retry-After")) == (503, "1")

    replica.stop(signal.SIGQUIT)
    assert {where(client) for _ in range(5)} == {primary.port}
    assert client.get("/users").json()["items"] == [created.json()]
    replica.start()
    wait_until(lambda: where(client) == replica.port, 3)
    said = (tmp_path / "log0").read_text()
    assert said.count("the replica is gone, the primary is read instead: nothing listens there") == 1
    assert said.count("the replica is back") == 1

    time.sleep(1.1)  # a pooled connection that was idle is tried
    with replica.paused():
        answers = [client.get("/tried/where") for _ in range(4)]
        assert {answer.json() for answer in answers} == {str(primary.port)}
        slow = [answer.elapsed.total_seconds() for answer in answers if answer.elapsed.total_seconds() > 1]
        assert len(slow) == 1, slow  # the one that finds it out
        assert slow[0] < 6
    wait_until(lambda: where(client) == replica.port, 20)

    primary.stop(signal.SIGQUIT)
    assert where(client) == replica.port
    assert add(client, 1).status_code == 503


@pytest.mark.long
def test_a_replica_that_refuses_the_password_is_not_taken_for_gone(
    serve: Serve, pair: Pair, tmp_path: Path
) -> None:
    primary, replica = pair
    url = primary.create_database("app")
    in_step(primary, replica)
    client = serve(url, DATABASE_REPLICA_URL=replica.url("app", password="other"))
    assert client.get("/tried/where").status_code == 503
    assert "the server refused the password" in (tmp_path / "log0").read_text()


@pytest.mark.long
def test_how_far_a_replica_is_behind_is_a_metric(serve: Serve, pair: Pair) -> None:
    primary, replica = pair
    url = primary.create_database("app")
    in_step(primary, replica)
    there = {"DATABASE_REPLICA_URL": replica.url("app")}
    client = serve(url, **there)
    add(client, 1)
    in_step(primary, replica)
    time.sleep(1)  # nobody writes, which is no lag
    assert lag(client) == 0
    replica.sql("SELECT pg_wal_replay_pause()")
    add(client, 2)
    time.sleep(1.5)
    assert lag(client) == 0  # it was read a moment ago
    assert lag(serve(url, **there)) > 1
    replica.stop()
    assert math.isnan(lag(serve(url, **there)))


class Writer(threading.Thread):
    """Creates users one after the other, and keeps which of them were acknowledged, and when."""

    def __init__(self, client: httpx.Client, first: int) -> None:
        super().__init__()
        self.client = client
        self.number = first
        self.done: list[tuple[float, int]] = []
        self.statuses: set[int] = set()
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.is_set():
            self.number += 1
            with suppress(httpx.HTTPError):
                status = add(self.client, self.number).status_code
                self.statuses.add(status)
                if status == 201:
                    self.done.append((time.monotonic(), self.number))
                else:
                    time.sleep(0.05)


@pytest.mark.long
@pytest.mark.parametrize("dies", ["killed", "silent"])
def test_after_a_failover_requests_recover_by_themselves_and_no_acknowledged_write_is_lost(
    serve: Serve, dies: str
) -> None:
    with running_pair(synchronous=True) as (primary, replica), ExitStack() as stack:
        primary.create_database("app")
        in_step(primary, replica)
        url = url_of_all("app", primary, replica, options="?target_session_attrs=primary")
        # What is under way when a server falls silent is given up after this time.
        limit = {"DATABASE_STATEMENT_TIMEOUT": "1"}
        client = serve(url, DATABASE_REPLICA_URL=url.replace("primary", "prefer-standby"), **limit)
        writers = [Writer(client, (each + 1) * 100_000) for each in range(4)]
        for writer in writers:
            writer.start()
            stack.callback(writer.join)
            stack.callback(writer.is_over.set)
        wait_until(lambda: all(len(writer.done) > 20 for writer in writers))
        assert where(client) == replica.port
        if dies == "killed":
            primary.stop(signal.SIGQUIT)
        else:
            stack.enter_context(primary.paused())
        time.sleep(2)
        promote(replica)
        promoted = time.monotonic()
        wait_until(lambda: all(writer.done[-1][0] > promoted for writer in writers), 15)
        first = [next(at for at, _ in writer.done if at > promoted) for writer in writers]
        assert max(first) - promoted < 3, [at - promoted for at in first]
        for writer in writers:
            writer.is_over.set()
            writer.join()
        acknowledged = {f"{number}@example.com" for writer in writers for _, number in writer.done}
        there = set(replica.sql("SELECT email FROM users", "app").split())
        assert acknowledged <= there, sorted(acknowledged - there)
        assert set().union(*(writer.statuses for writer in writers)) <= {201, 503}
        assert where(client) == replica.port


@pytest.mark.long
def test_a_server_that_is_read_only_now_is_left(serve: Serve, tmp_path: Path) -> None:
    with running_server() as one, running_server() as other:
        for server in (one, other):
            server.create_database("app")
            ok_url = server.url("app")
            serve(ok_url)  # migrates it
        client = serve(url_of_all("app", one, other, options="?target_session_attrs=read-write"))
        assert add(client, 1).status_code == 201
        assert one.sql("SELECT count(*) FROM users", "app") == "1"
        one.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        one.execute("SELECT pg_reload_conf()")
        wait_until(lambda: add(client, 2).status_code == 201, 3)
        assert other.sql("SELECT count(*) FROM users", "app") == "1"
        assert add(client, 3).status_code == 201
    assert "the database is unavailable: the server is read-only" in (tmp_path / "log2").read_text()


@pytest.mark.long
def test_behind_poolers_in_transaction_mode_a_replica_is_read_too(
    serve: Serve, pair: Pair, tmp_path: Path
) -> None:
    primary, replica = pair
    url = primary.create_database("app")
    in_step(primary, replica)
    quick = "server_login_retry = 1"
    with running_pooler(primary) as first, running_pooler(replica, more=quick) as second:
        through = {
            "DATABASE_POOLER": "transaction",
            "MIGRATION_DATABASE_URL": url,
            "DATABASE_REPLICA_URL": replica.url("app").replace(f":{replica.port}/", f":{second}/"),
        }
        client = serve(url.replace(f":{primary.port}/", f":{first}/"), **through)
        for number in range(20):
            assert add(client, number).status_code == 201
        in_step(primary, replica)
        for _ in range(20):
            assert where(client) == replica.port
            assert len(client.get("/users").json()["items"]) == 20
        assert client.post("/tried/orm").status_code == 500
        replica.stop(signal.SIGQUIT)
        time.sleep(1.1)
        deadline = time.monotonic() + 12
        while time.monotonic() < deadline:  # the pooler takes connections all the time
            answer = client.get("/tried/where")
            assert (answer.status_code, answer.json()) == (200, str(primary.port)), answer.text
            assert answer.elapsed.total_seconds() < 6
            time.sleep(0.2)
        replica.start()
        wait_until(lambda: where(client) == replica.port, 20)
