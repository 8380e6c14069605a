"""What `/metrics` says of a database: drift, the last run, open transactions, and who answered."""

import asyncio
import math
import re
import time
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from dbkit.config import EnvironmentOptions
from dbkit.connection import connect
from dbkit.connection.url import parse_database_url
from dbkit.locking import lock_key
from dbkit.metrics.drift import changed_since
from support.database_state import add_revision, forget_columns
from support.monitoring import samples, serving
from support.processes import Session, wait_until
from support.projects import Project, ok, refusal
from support.servers import running_server

pytestmark = pytest.mark.long

OPTIONS = EnvironmentOptions(MetaData)


def look(project: Project) -> float | None:
    """Since when the schema is not that of the last run."""
    url = project.url
    if project.dialect == "sqlite":
        url = f"sqlite:///{project.path / 'dev.db'}"

    async def ask() -> float | None:
        async with connect(parse_database_url(url), autocommit=False) as connection:
            return await connection.run_sync(changed_since, OPTIONS)

    return asyncio.run(ask())


def last_run(project: Project) -> float:
    """When the newest row of the history began, in seconds since 1970."""
    return datetime.fromisoformat(project.log()[-1]["started_at"]).timestamp()


@pytest.mark.first_on("postgresql")
def test_drift_has_the_time_of_the_run_since_which_it_is_there(project: Project) -> None:
    ok(project.make("migrate"))
    assert look(project) == 0
    project.sql("CREATE TABLE scratch (id INTEGER)")
    assert look(project) == pytest.approx(last_run(project), abs=0.001)
    if project.dialect == "postgresql":
        name = project.url.rpartition("/")[2]
        with Session(project) as migration:
            migration.run(f"SELECT pg_advisory_lock({lock_key(name, 'alembic_version')})")
            assert look(project) is None, "half of a run is no drift"
    project.sql("DROP TABLE scratch")
    assert look(project) == 0
    project.sql("DROP TABLE alembic_history")
    assert math.isnan(look(project) or 0)


def test_a_history_without_pictures_does_not_tell_drift(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    forget_columns(project)
    project.sql("CREATE TABLE scratch (id INTEGER)")
    assert math.isnan(look(project) or 0)


def test_an_index_that_somebody_builds_is_no_drift(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    with Session(project) as writer, Session(project) as builder:
        writer.run("BEGIN", "LOCK TABLE users IN ROW EXCLUSIVE MODE")
        building = builder.begin("CREATE INDEX CONCURRENTLY by_name ON users (name)")
        try:
            wait_until(lambda: project.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(1,)])
            found = look(project)
        finally:
            writer.run("COMMIT")
            building.join()
    assert found == 0, "an index under construction is no drift"
    assert (look(project) or 0) > 0


@pytest.mark.long
def test_metrics_tell_the_last_run_drift_and_the_oldest_transaction(
    postgresql_project: Project, tmp_path: Path
) -> None:
    project = postgresql_project
    with serving(project, tmp_path / "log") as client:
        found = samples(client)
        assert (found["database_up"], found["migrations_pending"]) == (1, 1)
        assert math.isnan(found["migrations_last_failed"])

        add_revision(project, 'op.execute("SELECT pg_sleep(0.2)")')
        ok(project.make("migrate"))
        wait_until(lambda: samples(client)["migrations_pending"] == 0)
        found = samples(client)
        first = project.log()
        assert found["migrations_last_duration_seconds"] == pytest.approx(sum(r["duration"] for r in first))
        assert found["migrations_last_locks_held_seconds"] >= 0.2
        begun = datetime.fromisoformat(first[0]["started_at"]).timestamp()
        assert found["migrations_last_timestamp_seconds"] == pytest.approx(begun, abs=0.001)
        assert (found["migrations_last_failed"], found["migrations_last_lock_wait_seconds"]) == (0, 0)
        wait_until(lambda: samples(client)["migrations_drift_since_timestamp_seconds"] == 0)

        file = add_revision(project, 'op.execute("SELECT 1/0")')
        assert "division by zero" in refusal(project.make("migrate"))
        wait_until(lambda: samples(client)["migrations_last_failed"] == 1)
        assert samples(client)['migrations_revisions{direction="upgrade",outcome="failed"}'] == 1
        project.edit(f"alembic/versions/20260102_0000_{file}.py", "1/0", "1")
        ok(project.make("migrate"))
        wait_until(lambda: samples(client)["migrations_last_failed"] == 0)

        assert samples(client)["database_oldest_transaction_seconds"] == 0
        with Session(project) as other:
            other.run("BEGIN", "SELECT 1")
            time.sleep(0.5)
            wait_until(lambda: samples(client)["database_oldest_transaction_seconds"] > 0.5)
        wait_until(lambda: samples(client)["database_oldest_transaction_seconds"] == 0)

        project.sql("CREATE TABLE scratch (id INTEGER)")
        since = "migrations_drift_since_timestamp_seconds"
        wait_until(lambda: samples(client)[since] > 0)
        assert samples(client)[since] == pytest.approx(last_run(project), abs=0.001)


@pytest.mark.long
def test_a_server_that_is_silent_keeps_no_scrape_waiting(compiled_project: Path, tmp_path: Path) -> None:
    with running_server() as server:
        project = Project.adopt(compiled_project, tmp_path / "project", server.create_database())
        ok(project.make("migrate"))
        with serving(project, tmp_path / "log") as client:
            drift = "migrations_drift_since_timestamp_seconds"
            wait_until(lambda: samples(client)[drift] == 0)
            with server.paused():
                deadline = time.monotonic() + 4
                while time.monotonic() < deadline:
                    begun = time.monotonic()
                    found = samples(client)
                    assert time.monotonic() - begun < 3, "a scrape waited for the database"
                    time.sleep(0.2)
                assert (found["database_up"], found["migrations_pending"]) == (0, 0)
            project.sql("CREATE TABLE scratch (id INTEGER)")
            wait_until(lambda: samples(client)["database_up"] == 1)
            wait_until(lambda: samples(client)[drift] > 0)  # also if a look was cut short
        assert "Traceback" not in (tmp_path / "log").read_text()


SLOW_LOOK = """
import time
from fastapi import APIRouter
from dbkit.metrics import drift

router = APIRouter()
look = drift.changed_since

def slow(connection, options):
    time.sleep(2)  # as long as thousands of tables take
    return look(connection, options)

drift.changed_since, drift.WITHIN = slow, 20.0
"""


@pytest.mark.long
def test_nobody_waits_while_a_large_schema_is_read(sqlite_project: Project, tmp_path: Path) -> None:
    project = sqlite_project
    ok(project.make("migrate"))
    project.write("app/api/watched_slowly.py", SLOW_LOOK)
    longest, drift, deadline = 0.0, math.nan, time.monotonic() + 20
    with serving(project, tmp_path / "log") as client:
        while math.isnan(drift):
            assert time.monotonic() < deadline
            begun = time.monotonic()
            drift = samples(client)["migrations_drift_since_timestamp_seconds"]
            assert client.get("/health").status_code == 200
            longest = max(longest, time.monotonic() - begun)
    assert longest < 1.5, "somebody waited for the schema"


@pytest.mark.long
def test_a_role_that_may_not_read_the_history_sees_a_database_that_is_up(
    postgresql_project: Project, tmp_path: Path
) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    role = f"service_{project.url.rpartition('/')[2]}"
    project.script(f"CREATE ROLE {role} LOGIN PASSWORD 's3cr3t'; GRANT SELECT ON alembic_version TO {role}")
    owner, project.url = project.url, f"postgresql://{role}:s3cr3t@{project.url.split('@')[1]}"
    log = tmp_path / "log"
    try:
        for is_granted in (True, False):
            with serving(project, log) as client:
                samples(client)
                time.sleep(1)  # for a look at the schema
                found = samples(client)
            assert found["database_up"] == 1, "the database answers"
            assert math.isnan(found["migrations_last_failed"])
            assert math.isnan(found["migrations_drift_since_timestamp_seconds"])
            assert math.isnan(found["migrations_pending"]) == (not is_granted)
            for unwanted in ("Traceback", "s3cr3t"):
                assert unwanted not in log.read_text()
            Project(project.path, owner).sql(f"REVOKE SELECT ON alembic_version FROM {role}")
    finally:
        project.url = owner


@pytest.mark.long
def test_with_several_workers_the_metrics_say_which_process_answered(
    sqlite_project: Project, tmp_path: Path
) -> None:
    """Each scrape reaches one of them, and its counters are that one's alone."""
    project = sqlite_project
    ok(project.make("migrate"))
    with serving(project, tmp_path / "log", "--workers=2", "--log-level=info") as client:
        client.headers["Connection"] = "close"  # another one may accept the next connection
        found: set[str] = set()

        def both_have_answered() -> bool:
            found.update(name for name in samples(client) if name.startswith("service_info"))
            return len(found) == 2

        wait_until(both_have_answered)
        drift = "migrations_drift_since_timestamp_seconds"
        wait_until(lambda: samples(client)[drift] == 0)
        seen = samples(client)
        assert seen["database_up"] == 1
        assert abs(seen["migrations_last_timestamp_seconds"] - time.time()) < 60  # SQLite keeps no zone
        assert math.isnan(seen["database_oldest_transaction_seconds"])
        assert len({re.findall(r'pid="(\d+)"', name)[0] for name in found}) == 2
