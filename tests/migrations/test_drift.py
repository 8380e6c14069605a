"""`make migration-check` compares the live database with what its revisions build, object by object."""

import asyncio
import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import MetaData

from dbkit.checks.live import look_at
from dbkit.config import EnvironmentOptions
from dbkit.connection import connect
from dbkit.connection.url import parse_database_url
from dbkit.errors import DatabaseUnavailable
from support.database_state import add_revision
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer


@pytest.mark.first_on("sqlite")
def test_a_change_by_hand_stops_the_gate_and_is_named(project: Project) -> None:
    ok(project.make("migrate"))
    assert "ok: " in ok(project.make("migration-check"))
    users = "public.users" if project.dialect == "postgresql" else "users"
    project.sql("ALTER TABLE users ADD COLUMN nick TEXT")
    project.sql("CREATE INDEX by_nick ON users (nick)")
    project.sql("CREATE TABLE scratch (id INTEGER)")
    said = project.make("migration-check")
    assert "drift: 3 objects differ from what the revisions build" in refusal(said)
    assert f"column {users}.nick: only in the database" in said.stdout
    assert f"table {users.replace('users', 'scratch')}: only in the database" in said.stdout

    # Each is mended, or left alone by name.
    project.sql("DROP INDEX by_nick")
    project.sql("ALTER TABLE users DROP COLUMN nick")
    assert "drift: 1 object differs" in refusal(project.make("migration-check"))
    project.edit("alembic.ini", "leave_alone =", "leave_alone = scratch")
    ok(project.make("migration-check"))
    project.sql("ALTER TABLE users ADD COLUMN nick TEXT")
    project.sql("CREATE INDEX dba_nick ON users (nick)")
    project.edit("alembic.ini", "leave_alone = scratch", "leave_alone = scratch dba_* nick")
    assert "drift: 1 object differs" in refusal(project.make("migration-check"))
    project.edit("alembic.ini", "dba_* nick", "dba_* users.nick")
    ok(project.make("migration-check"))


@pytest.mark.first_on("sqlite")
def test_a_database_is_compared_with_the_revisions_up_to_where_it_stands(project: Project) -> None:
    ok(project.make("migrate"))
    add_revision(project, 'op.execute("CREATE TABLE later (id INTEGER)")', downgrade="pass")
    refused = refusal(project.make("migration-check"))
    assert "1 pending" in refused
    assert "drift" not in refused
    project.sql("DROP TABLE users")
    assert "drift: 1 object differs" in refusal(project.make("migration-check"))


# Lets a run happen after the gate has read where the database stands, and before it looks at it.
THEN_MIGRATE = """
import os, subprocess, sys

from dbkit.checks import live

look = live.find_under_construction


def migrate_first(connection):
    if os.environ.pop("THEN_MIGRATE", ""):
        subprocess.run([sys.executable, "-m", "dbkit", "migrate", "--", "head"], check=True)
    return look(connection)


live.find_under_construction = migrate_first
"""


def test_what_a_run_does_at_the_same_time_is_no_drift(project: Project) -> None:
    ok(project.make("migrate"))
    latest = add_revision(project, 'op.execute("CREATE TABLE later (id INTEGER)")')
    env = project.path / "alembic" / "env.py"
    env.write_text(env.read_text("utf-8") + THEN_MIGRATE, "utf-8")
    said = project.make("migration-check", THEN_MIGRATE="yes")
    assert f"migrated meanwhile, and stands at {latest}: type it once more" in refusal(said)
    assert "DROP TABLE" not in said.stdout
    assert "drift" not in said.stdout


def test_a_run_that_begins_meanwhile_is_waited_for_as_long_as_any_reader_waits(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = parse_database_url(postgres_server.create_database())

    async def compare() -> None:
        async with connect(database, autocommit=False) as run:
            await run.exec_driver_sql("CREATE TABLE alembic_version (version_num text)")
            await run.commit()
            await run.exec_driver_sql("LOCK TABLE alembic_version")
            with pytest.raises(DatabaseUnavailable, match="has locked alembic_version; run it again"):
                async with asyncio.timeout(5):
                    await look_at(database, EnvironmentOptions(MetaData))

    monkeypatch.setattr("dbkit.checks.live._look", lambda *_: None)  # what is read before it
    limited = SimpleNamespace(migration_lock_timeout=0.1)
    monkeypatch.setattr("dbkit.locking.readers.get_settings", lambda: limited)
    asyncio.run(compare())


def test_drift_is_seen_by_a_role_that_may_only_read(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    name = project.url.rpartition("/")[2]
    reader = f"reader_{name}"
    project.sql(f"CREATE ROLE {reader} LOGIN PASSWORD 'read' CREATEDB IN ROLE pg_read_all_data")
    project.sql("ALTER TABLE users ALTER COLUMN email TYPE varchar(77)")
    url = project.url.split("@")[1]
    said = project.make("migration-check", DATABASE_URL=f"postgresql://{reader}:read@{url}")
    assert "drift: 1 object differs" in refusal(said)
    assert (
        "column public.users.email: type: character varying(320) in the revisions, "
        "character varying(77) in the database"
    ) in said.stdout


def checked(project: Project, **variables: str) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """What `make migration-check JSON=1` puts on stdout, which is one object and nothing else."""
    done = project.make("migration-check", "JSON=1", **variables)
    assert done.stdout.startswith("{"), done.stdout
    return json.loads(done.stdout), done


@pytest.mark.first_on("postgresql")
def test_as_json_for_programs(project: Project) -> None:
    ok(project.make("migrate"))
    report, done = checked(project)
    assert done.returncode == 0
    assert report == {
        "ok": True,
        "problems": [],
        "current": [INITIAL],
        "heads": [INITIAL],
        "pending": 0,
        "drift": [],
        "models": [],
    }

    project.sql("ALTER TABLE users ADD COLUMN nick TEXT")
    project.sql("CREATE INDEX by_nick ON users (nick)")
    project.add_product()
    add_revision(project, "print('a revision may print')")
    report, done = checked(project)
    assert done.returncode == 2
    assert not report["ok"]
    assert [problem["kind"] for problem in report["problems"]] == ["pending", "drift", "models"]
    assert refusal(done) == "FAILED: " + "; ".join(each["message"] for each in report["problems"])
    assert "a revision may print" in done.stderr
    assert report["pending"] == 1
    assert any("products" in line for line in report["models"])
    prefix = "public." if project.dialect == "postgresql" else ""
    by_object = {each["object"]: each for each in report["drift"]}
    column, index = by_object[f"column {prefix}users.nick"], by_object[f"index {prefix}by_nick"]
    assert (column["kind"], column["only_in"], column["expected"]) == ("column", "database", None)
    assert column["found"]["type"].lower() == "text"
    assert column["mend"] == []
    assert "may hold data" in column["instead"]
    concurrently = "CONCURRENTLY public.by_nick" if prefix else '"by_nick"'
    assert index["mend"] == [f"DROP INDEX {concurrently};"]
    assert index["instead"] is None


def test_the_json_of_a_check_that_fails_itself(postgresql_project: Project) -> None:
    project = postgresql_project
    nowhere = project.url.rpartition("/")[0] + "/nowhere"
    report, done = checked(project, DATABASE_URL=nowhere)
    assert done.returncode == 2
    assert not report["ok"]
    assert [problem["kind"] for problem in report["problems"]] == ["failed"]
    message = report["problems"][0]["message"]
    assert "no such database" in message
    assert refusal(done) == f"FAILED: {message}"
    assert report["drift"] is report["current"] is report["pending"] is None


def test_json_is_data(sqlite_project: Project) -> None:
    ok(sqlite_project.make("migrate"))
    done = sqlite_project.make("migration-check", "JSON=$(shell touch ran); touch ran `touch ran`")
    assert json.loads(done.stdout)["ok"]
    assert not (sqlite_project.path / "ran").exists()


def test_the_sql_that_is_printed_mends_it(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    project.sql("ALTER TABLE users ALTER COLUMN email TYPE text")
    project.sql("ALTER TABLE users ALTER COLUMN email DROP NOT NULL")
    project.sql("CREATE INDEX by_id ON users (id)")
    said = project.make("migration-check")
    assert "drift: 2 objects differ" in refusal(said)
    assert "  DROP INDEX CONCURRENTLY public.by_id;\n" in said.stdout
    for line in said.stdout.splitlines():
        if line.startswith("  "):
            project.sql(line)
    ok(project.make("migration-check"))
