"""What keeps `make migration-check` and `make migrate-test` from their end: one line, and nothing changed."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from signal import SIGQUIT

import pytest

from support.database_state import add_revision, dump
from support.projects import Project, ok, refusal
from support.servers import PostgresServer, running_server


def test_a_catalogue_that_may_not_be_read(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project, server = postgresql_project, postgres_server
    ok(project.make("migrate"))
    name = project.url.rpartition("/")[2]
    server.sql("REVOKE SELECT ON pg_catalog.pg_proc FROM PUBLIC", name)
    role = f"blind_{name}"
    server.sql(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'blind'")
    server.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", name)
    before = dump(project)
    url = server.url(name, user=role, password="blind")
    said = project.make("migration-check", "JSON=1", DATABASE_URL=url)
    line = refusal(said)
    assert "permission denied for table pg_proc" in line
    report = json.loads(said.stdout)
    assert [problem["kind"] for problem in report["problems"]] == ["failed"]
    assert report["pending"] == 0
    assert report["drift"] is None
    assert dump(project) == before
    server.sql(f"DROP OWNED BY {role}", name)
    server.sql(f"DROP ROLE {role}")


@pytest.mark.parametrize("command", ["migration-check", pytest.param("migrate-test", marks=pytest.mark.long)])
def test_a_server_that_goes_away_in_the_middle(sqlite_project: Project, command: str) -> None:
    project = sqlite_project
    marker = project.path / "running"
    add_revision(project, "import pathlib, time", f"pathlib.Path({str(marker)!r}).touch()", "time.sleep(3)")
    with running_server() as server, ThreadPoolExecutor(1) as somebody:
        project.write(".env", f"DATABASE_URL={server.url('postgres')}\n")
        running = somebody.submit(project.make, command)
        wait_for(marker.exists)
        server.stop(SIGQUIT)
        line = refusal(running.result())
    assert line.startswith("FAILED: ")
    assert f"127.0.0.1:{server.port}" in line or "closed the connection" in line


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
