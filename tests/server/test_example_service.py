"""The example resource as uvicorn serves it: edits at once, a database that is silent, gone, or used up."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from support.projects import Project, environment, ok
from support.servers import PostgresServer, running_server

# Beside the example: an endpoint that keeps a connection, and one with a mistake in it.
ROUTES = """
import asyncio
from fastapi import APIRouter
from sqlalchemy import text
from app.api.dependencies import SessionDep

router = APIRouter()

@router.get("/hold")
async def hold(session: SessionDep) -> None:
    await session.execute(text("SELECT 1"))
    await asyncio.sleep(3)

@router.get("/wrong")
async def wrong() -> None:
    raise RuntimeError("a s3cr3t")
"""
LIMITS = {"DATABASE_STATEMENT_TIMEOUT": "1", "DATABASE_POOL_TIMEOUT": "1"}
SMALL_POOL = {"DATABASE_POOL_SIZE": "2", "DATABASE_MAX_OVERFLOW": "1"}
ADA = {"email": "ada@example.com", "name": "Ada"}
PROBLEM = "application/problem+json"

Serve = Callable[[str], httpx.Client]


@pytest.fixture(scope="session")
def example(compiled_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.adopt(compiled_project, tmp_path_factory.mktemp("example") / "project", "none")
    project.write("app/api/tried.py", ROUTES)
    return project


@pytest.fixture
def serve(example: Project, tmp_path: Path) -> Iterator[Serve]:
    """Migrate a database, serve the example on it, and return a client; the log shows no value of a row."""
    with ExitStack() as stack:

        def serve(url: str) -> httpx.Client:
            variables = {"DATABASE_URL": url, **LIMITS, **SMALL_POOL}
            ok(example.run(sys.executable, "-m", "alembic", "upgrade", "head", variables=variables))
            log = tmp_path / "log"
            with log.open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", "uvicorn", "app.main:app", "--port", "0"],
                    cwd=example.path,
                    env=environment(**variables),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            stack.callback(process.wait, 15)
            stack.callback(process.send_signal, signal.SIGINT)
            deadline = time.monotonic() + 30
            while not (found := re.search(r"running on (http://[\d.:]+)", log.read_text())):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            limits = httpx.Limits(max_connections=100)
            client = httpx.Client(base_url=found[1], timeout=30, trust_env=False, limits=limits)
            return stack.enter_context(client)

        yield serve
        assert ADA["email"] not in (tmp_path / "log").read_text()


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM), response.text
    body: dict[str, Any] = response.json()
    assert body.keys() <= {"type", "title", "status", "detail", "errors"}
    assert "s3cr3t" not in response.text
    return body


def at_once(number: int, ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(ask, range(number)))


@pytest.mark.first_on("postgresql")
def test_one_of_many_edits_of_a_version_wins(serve: Serve, url: str) -> None:
    client = serve(url)
    created = client.post("/users", json=ADA)
    path, tag = created.headers["Location"], created.headers["ETag"]
    answers = at_once(
        20, lambda number: client.patch(path, json={"name": f"N{number}"}, headers={"If-Match": tag})
    )
    assert sorted({answer.status_code for answer in answers} - {503}) == [200, 412]
    [won] = [answer for answer in answers if answer.status_code == 200]
    assert client.get(path).json() == won.json()


@pytest.mark.first_on("postgresql")
def test_answers_are_those_of_the_document(serve: Serve, url: str) -> None:
    client = serve(url)
    document = client.get("/openapi.json").json()
    user = client.post("/users", json=ADA)
    path = user.headers["Location"]
    old = {"If-Match": '"0"'}
    answers = {
        "/users": [user, client.post("/users", json=ADA), client.get("/users"), client.get("/users?limit=0")],
        "/users/{user_id}": [
            client.get(path),
            client.get("/users/1"),
            client.patch(path, json={"name": "B"}),
            client.patch(path, json={"name": "C"}, headers=old),
            client.delete(path, headers=old),
            client.delete(path),
            client.get(path),
        ],
        "/wrong": [client.get("/wrong")],
    }
    statuses = [each.status_code for several in answers.values() for each in several]
    assert statuses == [201, 409, 200, 422, 200, 422, 200, 412, 412, 204, 404, 500]
    for template, several in answers.items():
        for each in several:
            responses = document["paths"][template][each.request.method.lower()]["responses"]
            content = responses[str(each.status_code)].get("content", {})
            if each.status_code == 204:
                assert (content, each.content) == ({}, b"")
                continue
            [(media_type, body)] = content.items()
            assert each.headers["content-type"] == media_type
            jsonschema.validate(each.json(), {**document, **body["schema"]})
    assert problem(answers["/wrong"][0], 500).keys() == {"type", "title", "status"}


def test_a_silent_server_is_given_up_in_time_and_comes_back(serve: Serve, own_server: PostgresServer) -> None:
    client = serve(own_server.create_database())
    assert {each.status_code for each in at_once(3, lambda _: client.get("/users"))} == {200}
    time.sleep(1.1)  # the pool tries connections that were idle for a second
    with own_server.paused():
        for answer in at_once(3, lambda _: client.get("/users")):
            assert problem(answer, 503)["detail"] == "the database is unavailable"
            assert answer.headers["Retry-After"] == "1"
            assert answer.elapsed.total_seconds() < 15  # 10 of them for a new connection
    assert client.get("/users").status_code == 200


def test_a_server_that_restarts_is_found_again(serve: Serve, own_server: PostgresServer) -> None:
    client = serve(own_server.create_database())
    assert client.get("/users").status_code == 200
    own_server.stop()
    for _ in range(2):
        problem(client.get("/users"), 503)
    own_server.start()
    assert client.get("/users").status_code == 200


def test_a_pool_that_is_used_up_is_unavailable(serve: Serve, postgres_server: PostgresServer) -> None:
    client = serve(postgres_server.create_database())
    with ThreadPoolExecutor(3) as threads:
        held = [threads.submit(client.get, "/hold") for _ in range(3)]
        time.sleep(0.5)
        problem(client.get("/users"), 503)
    assert {each.result().status_code for each in held} == {200}
    assert client.get("/users").status_code == 200


@pytest.mark.first_on("sqlite")
def test_a_project_without_the_example_passes_its_tests(project: Project) -> None:
    for name in ("app/models/user.py", "app/schemas/user.py", "app/api/users.py", "tests/test_users.py"):
        (project.path / name).unlink()
    (project.path / "alembic/versions/20260101_0000_create_users.py").unlink()
    ok(project.make("migrate"))
    ok(project.make("migration-check"))
    ok(project.make("lint"))
    said = ok(project.python("-m", "pytest", "-q", "-rs"))
    assert "the example is gone: its entry in ROWS can go, too" in said
