"""Migrating from code with a running event loop, and asking where the database is."""

import ast
import asyncio
import subprocess
from typing import Any

import pytest

from dbkit.asgi import Message, OneLineStartupErrors, Receive, Send
from support.database_state import add_revision, write_revision
from support.projects import INITIAL, Project, environment, ok
from support.servers import PostgresServer

# What an application does at its start: its own loop goes on turning meanwhile.
START = """
import asyncio, logging
from dataclasses import asdict
from dbkit.startup import migrate_if_needed

async def main():
    turns = 0
    async def turn():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)
    turning = asyncio.create_task(turn())
    status = await migrate_if_needed()
    print({"turns": turns, **asdict(status)})

asyncio.run(main())
"""

REPORT = """
import asyncio
from dataclasses import asdict
from sqlalchemy import event
from sqlalchemy.engine import Engine
from dbkit.startup import read_status

statements = []
event.listen(Engine, "before_cursor_execute", lambda c, cursor, statement, *_: statements.append(statement))
status = asdict(asyncio.run(read_status()))
print({"statements": [each for each in statements if not each.startswith("PRAGMA")], **status})
"""

SLOW = ('op.execute("CREATE TABLE begun (id INTEGER)")', 'op.execute("SELECT pg_sleep(60)")')


def run(project: Project, script: str) -> dict[str, Any]:
    result = project.python("-c", script)
    ok(result)
    shown: dict[str, Any] = ast.literal_eval(result.stdout.splitlines()[-1])
    return shown


@pytest.mark.first_on("postgresql")
def test_code_with_a_running_loop_migrates_and_goes_on_turning(project: Project) -> None:
    before = run(project, REPORT)
    assert (before["current"], before["head"], before["pending"]) == ((), (INITIAL,), 1)
    first = run(project, START)
    assert project.log()[-1]["fingerprint_after"]
    assert (first["current"], first["pending"]) == ((INITIAL,), 0)
    assert first["turns"] > 1
    assert project.version() == [INITIAL]
    run(project, START)
    assert len(project.log()) == 1


@pytest.mark.first_on("sqlite")
def test_alembics_own_command_works_where_a_loop_is_running(project: Project) -> None:
    script = """
import asyncio
from alembic import command
from dbkit.config import alembic_config

async def main():
    command.upgrade(alembic_config(), "head")

asyncio.run(main())
"""
    ok(project.python("-c", script))
    assert project.version() == [INITIAL]


def test_a_database_in_memory_cannot_be_migrated_at_the_start(sqlite_project: Project) -> None:
    sqlite_project.write(".env", "DATABASE_URL=sqlite+aiosqlite:///:memory:\n")
    last = sqlite_project.python("-c", START).stderr.splitlines()[-1]
    assert "a database in memory would be gone with this command" in last


def test_the_report_is_a_single_query(project: Project) -> None:
    ok(project.make("migrate"))
    project.make("migration-empty", "MSG=later")
    report = run(project, REPORT)
    assert report["statements"] == ["SELECT version_num FROM alembic_version"]
    assert (report["current"], report["pending"]) == ((INITIAL,), 1)


def test_a_version_table_that_comes_while_it_is_looked_for_is_read(sqlite_project: Project) -> None:
    script = """
import asyncio, sqlite3
from sqlalchemy import event
from sqlalchemy.engine import Engine
from dbkit.startup import read_status

def migrate(context):
    with sqlite3.connect("dev.db") as other:
        other.execute("CREATE TABLE alembic_version AS SELECT 'x' AS version_num")

event.listen(Engine, "handle_error", migrate)
print(asyncio.run(read_status()).current)
"""
    sqlite_project.write("dev.db", "")  # of a file that is missing, an empty database is read
    assert ok(sqlite_project.python("-c", script)) == "('x',)\n"


def test_instances_that_start_together_migrate_once(project: Project) -> None:
    for number in range(3):
        ok(project.make("migration-empty", f"MSG=step {number}"))
    command = [project.interpreter, "-c", START]
    started = [
        subprocess.Popen(
            command,
            cwd=project.path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        printed, _ = process.communicate(timeout=120)
        assert process.returncode == 0, printed
        assert "'pending': 0" in printed
    rows = project.log()
    assert [row["direction"] for row in rows] == ["upgrade"] * 4
    assert len({row["revision"] for row in rows}) == 4


@pytest.mark.first_on("sqlite")
def test_a_start_on_a_database_that_is_ahead_changes_nothing_and_on_an_unknown_one_fails(
    project: Project,
) -> None:
    newer = add_revision(project)
    ok(project.make("migrate"))
    project.revisions()[0].unlink()
    assert run(project, START)["unknown"] == (newer,)
    assert project.version() == [newer]
    project.sql("UPDATE alembic_version SET version_num = 'fedcba987654'")
    started = project.python("-c", START)
    assert started.returncode != 0
    last = started.stderr.strip().splitlines()[-1]
    assert "fedcba987654, which neither this code nor its history knows" in last
    assert project.version() == ["fedcba987654"]


def test_two_databases_of_one_process_take_turns(project: Project, postgres_server: PostgresServer) -> None:
    other = "sqlite:///other.db"
    if project.dialect == "postgresql":
        other = postgres_server.create_database()
    script = f"""
import asyncio
from dbkit.connection import migration_database
from dbkit.connection.url import parse_database_url
from dbkit.startup import migrate_if_needed

async def main():
    databases = (migration_database(), parse_database_url({other!r}))
    found = await asyncio.gather(*map(migrate_if_needed, [*databases, *databases]))
    print([(status.current, status.pending) for status in found])

asyncio.run(main())
"""
    result = project.python("-c", script)
    ok(result)
    assert result.stdout.splitlines()[-1] == str([((INITIAL,), 0)] * 4)
    project.url = other
    assert project.version() == [INITIAL]


def test_code_that_runs_alembics_command_line_keeps_its_own_signals(sqlite_project: Project) -> None:
    script = """
import asyncio, signal
from alembic.config import main

def stop(*_): ...

signal.signal(signal.SIGTERM, stop)
asyncio.run(asyncio.to_thread(main, ["--raiseerr", "upgrade", "head"]))
main(["--raiseerr", "downgrade", "base"])
assert signal.getsignal(signal.SIGTERM) is stop
"""
    ok(sqlite_project.python("-c", script))
    assert sqlite_project.version() == []


def test_a_failed_start_that_raises_nothing_is_a_failed_start() -> None:
    """An application of another framework may only say so: https://asgi.readthedocs.io."""
    failed, sent = {"type": "lifespan.startup.failed", "message": "why"}, []

    async def application(_scope: Message, _receive: Receive, send: Send) -> None:
        await send(failed)

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(OneLineStartupErrors(application)({"type": "lifespan"}, receive, send))
    assert sent == [failed]


def test_a_command_that_is_told_to_end_loses_no_answer_that_it_waits_for(sqlite_project: Project) -> None:
    script = """
import asyncio, os, signal
from dbkit.signals import end_like_ctrl_c

async def ends_when_answered():
    answered = asyncio.Event()
    reading, writing = os.pipe()

    def read():  # as asyncio does: takes what has come, and hands it on
        os.read(reading, 1)
        signal.raise_signal(signal.SIGTERM)
        answered.set()

    asyncio.get_running_loop().add_reader(reading, read)
    os.write(writing, b"x")
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.wait_for(answered.wait(), 3)

end_like_ctrl_c()
try:
    asyncio.run(ends_when_answered())
except KeyboardInterrupt:
    print("interrupted")
"""
    result = sqlite_project.python("-c", script)
    ok(result)
    assert result.stdout == "interrupted\n"
    assert result.stderr == ""


def test_a_start_that_is_cancelled_ends_at_once_and_leaves_nothing_half_done(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    add_revision(project, *SLOW)
    script = START.replace("await migrate_if_needed()", "await asyncio.wait_for(migrate_if_needed(), 2)")
    result = project.python("-c", script)  # in much less than the minute that the revision takes
    assert "TimeoutError" in result.stderr
    assert project.version() == [INITIAL]
    assert "begun" not in project.tables()
    last = project.log()[-1]
    assert (last["outcome"], last["error"]) == ("failed", "interrupted")
    waiting = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
    assert project.sql(waiting) == []


@pytest.mark.parametrize("fault", ["no server", "failing revision"])
def test_a_start_that_cannot_migrate_says_why_in_one_line(project: Project, fault: str) -> None:
    if fault == "no server":
        project.variables |= {
            "DATABASE_URL": "postgresql://app:s3cret@127.0.0.1:1/app",
            "MIGRATION_WAIT": "0",
        }
    else:
        add_revision(project, 'op.execute("nonsense")')
    last = project.python("-c", START).stderr.strip().splitlines()[-1]
    expected = "127.0.0.1:1: nothing listens" if fault == "no server" else "_step01.py:"
    assert expected in last
    assert "s3cret" not in last


def start(project: Project, **variables: str) -> subprocess.CompletedProcess[str]:
    """Enter the application's lifespan, as a server does."""
    script = """
import asyncio
from app.main import app

async def main():
    async with app.router.lifespan_context(app):
        print("up")

asyncio.run(main())
"""
    return project.python("-c", script, **variables)


def test_an_application_migrates_at_its_start_if_it_is_told_to(sqlite_project: Project) -> None:
    assert "1 pending: 'make migrate' runs them" in ok(start(sqlite_project))
    assert sqlite_project.tables() == set()

    refused = start(sqlite_project, REQUIRE_MIGRATED="true")
    assert refused.returncode == 1
    assert "1 pending: 'make migrate' runs them; REQUIRE_MIGRATED lets" in refused.stderr.splitlines()[-1]
    assert sqlite_project.tables() == set()

    migrated = start(sqlite_project, REQUIRE_MIGRATED="true", MIGRATE_ON_START="true")
    assert ok(migrated).splitlines()[-1] == "up"
    assert sqlite_project.version() == [INITIAL]
    assert "pending" not in ok(start(sqlite_project))


@pytest.mark.parametrize("variable", ["REQUIRE_MIGRATED", "MIGRATE_ON_START"])
def test_an_application_that_has_to_be_migrated_waits_for_its_database(
    sqlite_project: Project, variable: str
) -> None:
    gone = {"DATABASE_URL": "postgresql://app:s3cret@127.0.0.1:1/app", "MIGRATION_WAIT": "0.5"}
    last = start(sqlite_project, **gone, **{variable: "true"}).stderr.splitlines()[-1]
    assert "gave up after 0.5 s (MIGRATION_WAIT): " in last
    assert "s3cret" not in last
    assert ok(start(sqlite_project, **gone)).splitlines()[-1] == "up"


PROBES = """
import asyncio
import httpx
from app.main import app

async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for path in ("/health/ready", "/health/detailed"):
            answer = await client.get(path)
            print(answer.status_code, answer.json().get("reason"))

asyncio.run(main())
"""
STARTS: tuple[dict[str, str], ...] = (
    {"MIGRATE_ON_START": "true"},
    {"REQUIRE_MIGRATED": "true"},
    {"MIGRATE_ON_START": "true", "REQUIRE_MIGRATED": "true"},
    {},
)


@pytest.mark.long
def test_all_who_meet_an_unknown_revision_say_the_same_of_it(project: Project) -> None:
    file = write_revision(project, "newer")
    ok(project.make("migrate"))
    file.unlink()
    for variables in STARTS:  # the history knows it: newer code has been here
        assert ok(start(project, **variables)).splitlines()[-1] == "up"
    assert ok(project.python("-c", PROBES)) == "200 None\n200 None\n"

    project.sql("UPDATE alembic_version SET version_num = 'fedcba987654'")
    stranger = "the database stands at fedcba987654, which neither this code nor its history knows"
    for variables in STARTS:
        printed = ok(start(project, **variables))
        assert printed.count(stranger) == 1, (variables, printed)
        assert "up" in printed.splitlines()
    assert ok(project.python("-c", PROBES)) == "200 None\n200 None\n"

    project.sql("UPDATE alembic_version SET version_num = 'newer'")
    write_revision(project, "own")
    other = "the database stands at newer of another branch, and revisions of this code never ran there"
    for variables in STARTS:
        started = start(project, **variables)
        printed = started.stdout + started.stderr
        assert printed.count(other) == 1, (variables, printed)
        assert (started.returncode == 0) == (not variables), (variables, printed)
    assert ok(project.python("-c", PROBES)) == f"503 {other}\n503 {other}\n"
    assert project.version() == ["newer"]
