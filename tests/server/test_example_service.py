"""The example resource as uvicorn serves it: edits at once, a database that is silent, gone, or used up."""

import json
import re
import sqlite3
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import jsonschema
import pytest

from support.example_service import ADA, Serve, at_once, problem
from support.monitoring import samples
from support.processes import wait_until
from support.projects import Project, ok
from support.servers import PostgresServer


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
def test_answers_are_those_of_the_document(serve: Serve, url: str, tmp_path: Path) -> None:
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
    assert problem(answers["/wrong"][0], 500).keys() == {"type", "title", "status", "request_id"}
    log = tmp_path / "log0"
    wait_until(lambda: "letters" in log.read_text())
    assert "l0cal" not in log.read_text()  # as rich's tracebacks would show it


@pytest.mark.long
def test_a_silent_server_is_given_up_in_time_and_comes_back(serve: Serve, own_server: PostgresServer) -> None:
    client = serve(own_server.create_database())
    assert {each.status_code for each in at_once(3, lambda _: client.get("/users"))} == {200}
    time.sleep(1.1)  # the pool tries connections that were idle for a second
    with own_server.paused():
        for answer in at_once(3, lambda _: client.get("/users")):
            assert problem(answer, 503)["detail"] == "the database is unavailable"
            assert answer.headers["Retry-After"] == "1"
            # A second for the statement or for a new connection, two for parting with the old one.
            assert answer.elapsed.total_seconds() < 6
    assert client.get("/users").status_code == 200


@pytest.mark.long
@pytest.mark.first_on("sqlite")
def test_a_statement_that_never_ends_is_given_up_in_time(serve: Serve, url: str, tmp_path: Path) -> None:
    client = serve(url, DATABASE_POOL_SIZE="1", DATABASE_MAX_OVERFLOW="0")
    path = client.post("/users", json=ADA).headers["Location"]
    for _ in range(2):  # the second on the connection of the first, or on a new one
        try:
            answer = client.get("/endless", timeout=8)
        except httpx.ReadTimeout:
            pytest.fail("DATABASE_STATEMENT_TIMEOUT has passed, and there is no answer")
        assert problem(answer, 503)["detail"] == "the database is unavailable"
        assert 1 <= answer.elapsed.total_seconds() < 4
        assert client.get(path).status_code == 200
    time.sleep(1.1)  # and what was in time is not interrupted afterwards
    assert client.patch(path, json={"name": "B"}).status_code == 200
    log = (tmp_path / "log0").read_text()
    assert "no answer in time" in log
    assert "Traceback" not in log


def test_who_writes_waits_for_another_writer_as_long_as_a_statement_may_take(
    serve: Serve, tmp_path: Path
) -> None:
    client = serve(f"sqlite:///{tmp_path / 'a.db'}")
    assert client.get("/health/database").status_code == 200  # which waits for less, on the same connection
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        try:
            answer = client.post("/users", json=ADA, timeout=8)
        except httpx.ReadTimeout:
            pytest.fail("DATABASE_STATEMENT_TIMEOUT has passed, and it still waits")
        problem(answer, 503)
        assert answer.elapsed.total_seconds() >= 0.9
        holder.execute("ROLLBACK")
    assert client.post("/users", json=ADA).status_code == 201


def test_a_server_that_restarts_is_found_again(
    serve: Serve, own_server: PostgresServer, tmp_path: Path
) -> None:
    url = own_server.create_database()
    client = serve(url)
    assert client.get("/users").status_code == 200
    assert client.get("/health/ready").json() == {"status": "ok"}
    own_server.stop()
    newcomer = serve(url, MIGRATE_ON_START="false")
    for _ in range(2):
        problem(client.get("/users"), 503)
        assert "the database is unavailable: nothing listens there" in (tmp_path / "log0").read_text()
        assert client.get("/health/ready").status_code == 200  # it was ready, and others are no better
        assert newcomer.get("/health/ready").json()["reason"] == "nothing listens there"
    own_server.start()
    assert client.get("/users").status_code == 200
    assert newcomer.get("/health/ready").status_code == 200


@pytest.mark.first_on("postgresql")
def test_an_instance_is_not_ready_while_a_revision_is_pending(serve: Serve, url: str) -> None:
    ready = serve(url, MIGRATE_ON_START="false").get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["reason"] in ("migrations pending: 1", "no such database")


def test_head_is_answered_like_get_everywhere(serve: Serve, tmp_path: Path) -> None:
    client = serve(f"sqlite:///{tmp_path / 'a.db'}", LOG_FORMAT="json")
    for path, status in (
        ("/users", 200),
        ("/docs", 200),
        ("/health/ready", 200),
        ("/no", 404),
        ("/wrong", 500),
    ):
        get, head = client.get(path), client.head(path)
        assert get.status_code == status
        assert (head.status_code, head.content) == (status, b""), path
        assert head.headers["Content-Length"] == get.headers["Content-Length"], path
    assert client.put("/users").headers["Allow"] == "GET, HEAD, POST"
    labels = 'method="HEAD",route="/users",status="200"'
    assert samples(client)[f"http_request_duration_seconds_count{{{labels}}}"] == 1
    assert '"method": "HEAD", "route": "/users", "status": 200' in (tmp_path / "log0").read_text()


def test_each_line_of_a_request_has_its_id(serve: Serve, tmp_path: Path) -> None:
    client = serve(f"sqlite:///{tmp_path / 'a.db'}", ENVIRONMENT="production")
    path = client.post("/users", json=ADA).headers["Location"]
    answers = [
        client.get(path, headers={"X-Request-ID": "sane-1"}),
        client.get("/nothing?s3cr3t=1", headers={"X-Request-ID": "not sane"}),
        client.get("/wrong", headers={"X-Request-ID": "sane-2"}),
        client.get("/said"),
    ]
    log = tmp_path / "log0"
    wait_until(lambda: log.read_text().count('"request"') == 5)  # a line follows its answer
    said = log.read_text().splitlines()
    assert [line for line in said if not line.startswith("{")] == []  # the server's own are JSON, too
    lines = [json.loads(line) for line in said]
    for answer, route in zip(answers, ["/users/{user_id}", None, "/wrong", "/said"], strict=True):
        request_id = answer.headers["X-Request-ID"]
        [access] = [line for line in lines if line["event"] == "request" and line["request_id"] == request_id]
        assert (access["method"], access["route"], access["status"]) == ("GET", route, answer.status_code)
        assert access["ms"] >= 0
    sane, other, wrong, told = (answer.headers["X-Request-ID"] for answer in answers)
    assert (sane, wrong) == ("sane-1", "sane-2")
    assert other != "not sane"
    [error] = [line for line in lines if line["level"] == "error"]
    assert error["request_id"] == "sane-2"
    assert "RuntimeError" in error["exception"]
    [own] = [line for line in lines if line["event"] == "from an endpoint"]
    assert (own["logger"], own["request_id"], own["number"]) == ("app.api.tried", told, 1)
    [migrated] = [line for line in lines if "Ran upgrade" in line["event"]]
    assert migrated["logger"] == "alembic.migrator"
    assert "nothing?" not in "".join(said)


def test_metrics_count_requests_waits_statements_and_revisions(
    serve: Serve, own_server: PostgresServer
) -> None:
    client = serve(own_server.create_database())
    path = client.post("/users", json=ADA).headers["Location"]
    client.get(path)
    client.request("PROPFIND", "/nothing/s3cr3t")
    with ThreadPoolExecutor(3) as threads:
        held = [threads.submit(client.get, "/hold") for _ in range(3)]
        time.sleep(0.5)
        problem(client.get("/users"), 503)
        found = samples(client)
        assert (found["database_pool_size"], found["database_pool_checked_out"]) == (2, 3)
        assert found["database_pool_overflow"] == 1
        assert [each.result().status_code for each in held] == [200] * 3
    for labels in (
        'method="POST",route="/users",status="201"',
        'method="GET",route="/users/{user_id}",status="200"',
        'method="GET",route="/users",status="503"',
        'method="other",route="none",status="404"',
    ):
        assert found[f"http_request_duration_seconds_count{{{labels}}}"] == 1, labels
    assert found["database_pool_timeouts_total"] == 1
    assert found["database_pool_wait_seconds_sum"] >= 1  # DATABASE_POOL_TIMEOUT
    assert found["database_query_seconds_count"] >= 5
    assert found["database_up"] == 1
    assert found["migrations_pending"] == 0
    assert found['migrations_revisions{direction="upgrade",outcome="done"}'] == 1
    assert abs(found["migrations_last_timestamp_seconds"] - time.time()) < 60
    assert "s3cr3t" not in "".join(found)
    own_server.stop()
    assert samples(client)["database_up"] == 1  # it was read a moment ago


def test_a_body_that_is_too_large_is_refused(serve: Serve, tmp_path: Path) -> None:
    client = serve(f"sqlite:///{tmp_path / 'a.db'}", MAX_BODY="10KiB")
    pieces = (b" " * 5_000 for _ in range(3))
    for body in (b" " * 10_241, pieces):  # the second without a length
        answer = client.post("/users", content=body, headers={"Content-Type": "application/json"})
        assert problem(answer, 413)["detail"] == "a body has 10240 bytes at most (MAX_BODY)"
    count = 'http_request_duration_seconds_count{method="POST",route="/users",status="413"}'
    assert samples(client).get(count) == 2, "a refused body is not counted for its route"
    assert client.post("/users", json=ADA).status_code == 201
    for media_type in ({}, {"Content-Type": "text/plain"}):
        answer = client.post("/users", content=json.dumps(ADA), headers=media_type)
        assert problem(answer, 422)["detail"].endswith("send it with 'Content-Type: application/json'")
    nested = b"[" * 5_000 + b"]" * 5_000
    answer = client.post("/users", content=nested, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


@pytest.mark.first_on("sqlite")
def test_every_module_below_api_that_has_a_router_is_mounted(project: Project) -> None:
    route = """
        from fastapi import APIRouter

        router = APIRouter()

        @router.get("/{name}")
        async def read() -> None: ...
    """
    for file in ("Capital.py", "UNDER_.py", "shop/items.py", "shop/deep/more.py", "own/inside.py"):
        name = Path(file).stem.lower()
        project.write(f"app/api/{file}", textwrap.dedent(route).replace("{name}", name))
    package = """
        from fastapi import APIRouter

        from app.api.own.inside import router as inside

        router = APIRouter(prefix="/own")
        router.include_router(inside)
    """
    project.write("app/api/own/__init__.py", textwrap.dedent(package))
    project.write("app/api/.hidden.py", "raise RuntimeError")
    said = ok(project.python("-c", "from app.main import app; print(*sorted(app.openapi()['paths']))"))
    paths = {path for path in said.split() if not path.startswith(("/health", "/users"))}
    assert paths == {"/capital", "/under_", "/items", "/more", "/own/inside"}
    project.write("app/api/my-own.py", "")
    failed = project.python("-c", "import app.main")
    assert "app/api/my-own.py has a name that Python cannot import: rename it" in failed.stderr


def test_the_pages_of_the_documentation_ask_no_other_server(serve: Serve, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    client = serve(url)
    for page in ("/docs", "/redoc"):
        text = client.get(page).text
        loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
        assert loaded
        for each in loaded:
            assert each.startswith("/"), each
            assert client.get(each).status_code == 200
    in_production = serve(url, ENVIRONMENT="production")
    for path in ("/docs", "/redoc", "/openapi.json"):
        problem(in_production.get(path), 404)


def test_a_database_that_is_not_migrated_is_a_line_of_the_log(
    serve: Serve, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    client = serve(postgres_server.create_database(), MIGRATE_ON_START="false")
    assert problem(client.get("/users"), 503)["detail"] == "the database lacks what this code needs"
    other = serve(f"sqlite:///{tmp_path / 'a.db'}", MIGRATE_ON_START="false")
    problem(other.get("/users"), 503)
    said = [(tmp_path / name).read_text() for name in ("log0", "log1")]
    assert "relation \"users\" does not exist: 'make migrate', or" in said[0]
    assert "no such table: users: 'make migrate', or" in said[1]
    assert "Traceback" not in "".join(said)


def test_who_asks_for_the_health_of_a_locked_file_stands_in_nobodys_way(serve: Serve, tmp_path: Path) -> None:
    client = serve(f"sqlite:///{tmp_path / 'a.db'}")
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=3)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(2) as threads:
            ready = [threads.submit(client.get, "/health/ready") for _ in range(2)]
            assert [each.result().status_code for each in ready] == [503, 503]
        holder.execute("ROLLBACK")
        time.sleep(0.5)  # what waited for the lock has it now, and must not keep it
        try:
            holder.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            pytest.fail(f"no writer gets in: {error}")
        holder.execute("ROLLBACK")
    assert client.post("/users", json=ADA).status_code == 201


@pytest.mark.long
def test_a_pool_that_is_used_up_is_unavailable(serve: Serve, postgres_server: PostgresServer) -> None:
    client = serve(postgres_server.create_database())
    with ThreadPoolExecutor(3) as threads:
        held = [threads.submit(client.get, "/hold") for _ in range(3)]
        time.sleep(0.5)
        problem(client.get("/users"), 503)
    assert {each.result().status_code for each in held} == {200}
    assert client.get("/users").status_code == 200


@pytest.mark.long
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
