"""Migrations that are killed, or whose server is, at moments that chance decides."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.database_state import add_revision
from support.processes import (
    Session,
    add_table,
    applied,
    effective,
    either,
    failed,
    output,
    seeded,
    start,
    start_process,
    succeeded,
    wait_until,
)
from support.projects import INITIAL, Project, ok
from support.servers import PostgresServer, running_server

pytestmark = pytest.mark.slow
ROWS = 400

# A millisecond or two for each row that is indexed.
SLOWLY = """CREATE FUNCTION slowly(number integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep(0.0005); RETURN number; END'"""


def add_what_can_be_cut_short(project: Project) -> None:
    """Write revisions of each kind, each of which takes a while."""
    columns = ", ".join(
        ['sa.Column("id", sa.Integer(), primary_key=True)']
        + [
            f'sa.Column("{name}", sa.Integer(), server_default="0", nullable=False)'
            for name in ("filled", "raised")
        ]
    )
    add_revision(project, f'op.create_table("items", {columns})')
    if project.dialect == "sqlite":
        pause = '__import__("time").sleep(0.1)'
        series = (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {}) SELECT n FROM s"
        )
        index = 'op.create_index("ix_items_slowly", "items", ["id"])'
    else:
        pause = 'op.execute("SELECT pg_sleep(0.1)")'
        series = "SELECT generate_series(1, {})"
        add_revision(project, f'op.execute("""{SLOWLY}""")')
        index = (
            'op.create_index("ix_items_slowly", "items", [sa.text("slowly(id)")],'
            " postgresql_concurrently=True)"
        )
    add_revision(project, f'op.execute("INSERT INTO items (id) {series.format(ROWS)}")', pause)
    add_revision(project, index)
    add_revision(project, 'op.execute("UPDATE items SET raised = raised + 1")', pause)
    fill = 'op.backfill("items", "filled = filled + 1", where="filled = 0", batch=20, pause=0.01)'
    add_revision(project, fill)
    for each in range(3):
        add_table(project, f"table{each}")


def check_all_is_there(project: Project) -> None:
    """At head, no row lost, missed or doubled, the index valid, the history true."""
    assert applied(project)[-1] == f"step{len(project.revisions()):02}"
    assert sorted(effective(project)) == sorted(applied(project))
    counts = "count(*), count(DISTINCT id), min(filled), max(filled), min(raised), max(raised)"
    assert project.sql(f"SELECT {counts} FROM items") == [(ROWS, ROWS, 1, 1, 1, 1)]
    assert {"table0", "table1", "table2"} <= project.tables()
    if project.dialect == "postgresql":
        assert project.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
        index = "SELECT count(*) FROM pg_class WHERE relname = 'ix_items_slowly'"
        assert project.sql(index) == [(1,)]


@pytest.fixture
def chance() -> random.Random:
    """Prints its seed, which pytest shows when the test fails."""
    return seeded()


@pytest.fixture(scope="session")
def fragile_server() -> Iterator[PostgresServer]:
    """A server to be killed, that says of nothing that it is stored before it is."""

    def durable(server: PostgresServer) -> None:
        server.settings |= {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}

    with running_server(durable) as server:
        yield server


def renew(project: Project, server: PostgresServer | None = None) -> None:
    """Give the project an empty database."""
    if server is None:
        for path in project.path.glob("dev.db*"):
            path.unlink()
        return
    project.url = server.create_database()
    project.write(".env", f"DATABASE_URL={project.url}\n")


def normal_duration(project: Project) -> float:
    """Seconds that an upgrade takes here and now, with nobody to kill it."""
    begun = time.monotonic()
    succeeded(start_process(project, "upgrade", "head"))
    check_all_is_there(project)
    return time.monotonic() - begun


def kill_at_a_random_moment(project: Project, duration: float, chance: random.Random) -> bool:
    """Start an upgrade and kill it on the way; False if it had ended before that."""
    process = start_process(project, "upgrade", "head")
    # The first quarter is spent before it has a connection.
    time.sleep(duration * chance.uniform(0.25, 1))
    process.kill()
    output(process)
    print("killed after" if process.returncode < 0 else "ended at", (applied(project) or ["nothing"])[-1])
    assert sorted(effective(project)) == sorted(applied(project))
    return process.returncode < 0


def test_one_more_upgrade_is_all_it_takes_after_a_kill(
    project: Project, postgres_server: PostgresServer, chance: random.Random
) -> None:
    server = postgres_server if project.dialect == "postgresql" else None
    add_what_can_be_cut_short(project)
    duration = normal_duration(project)
    left = either(1, 100 if server else 30)
    while left:
        renew(project, server)
        killed = kill_at_a_random_moment(project, duration, chance)
        left -= killed
        duration *= 1.02 if killed else 0.9  # a machine is not equally busy all the time
        succeeded(start(project, "upgrade", "head"))
        check_all_is_there(project)


@pytest.mark.long
def test_one_more_upgrade_is_all_it_takes_after_the_server_was_killed(
    postgresql_project: Project, fragile_server: PostgresServer, chance: random.Random
) -> None:
    project = postgresql_project
    add_what_can_be_cut_short(project)
    renew(project, fragile_server)
    duration = normal_duration(project)
    left = either(1, 10)
    while left:
        renew(project, fragile_server)
        # On a busy machine it has no connection yet, and would wait for the server.
        process = start_process(project, "upgrade", "head", MIGRATION_WAIT="5")
        time.sleep(duration * chance.uniform(0.4, 0.9))
        fragile_server.stop(signal.SIGQUIT)  # what `pg_ctl stop -m immediate` sends
        said = output(process)
        assert process.returncode == 0 or len(said.split("FAILED")) == 2, said
        left -= process.returncode != 0  # or it had ended before
        duration *= 1.02 if process.returncode else 0.9
        fragile_server.start()
        print("server killed after", (applied(project) or ["nothing"])[-1])
        assert sorted(effective(project)) == sorted(applied(project))
        succeeded(start(project, "upgrade", "head"))
        check_all_is_there(project)


def test_what_was_done_before_a_kill_stays_done(postgresql_project: Project) -> None:
    project = postgresql_project
    names = [add_table(project, "first"), add_revision(project, 'op.execute("SELECT pg_sleep(60)")')]
    killed_in_its_sleep(project, "SELECT pg_sleep(60)")
    assert applied(project) == [INITIAL, *names[:1]] == effective(project)


def test_a_killed_run_on_sqlite_leaves_the_database_as_it_was(
    sqlite_project: Project, tmp_path: Path
) -> None:
    project = sqlite_project
    asleep = tmp_path / "asleep"
    ok(project.alembic("upgrade", "head"))
    add_table(project, "first")
    add_revision(project, f'__import__("pathlib").Path("{asleep}").touch()', '__import__("time").sleep(60)')
    process = start_process(project, "upgrade", "head")
    wait_until(asleep.exists)
    process.kill()
    output(process)
    assert "first" not in project.tables()
    assert applied(project) == [INITIAL] == effective(project)


def test_the_server_ends_the_statement_of_a_killed_migration(postgresql_project: Project) -> None:
    project = postgresql_project
    add_revision(project, 'op.execute("SELECT count(*), pg_sleep(60) FROM users")')
    killed_in_its_sleep(project, "SELECT count(*), pg_sleep(60) FROM users")
    with Session(project) as session:
        running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid != {}"
        wait_until(lambda: session.count(running.format(session.pid)) == 0, seconds=10)


def test_a_server_that_dies_under_a_migration_is_one_line(
    postgresql_project: Project, fragile_server: PostgresServer
) -> None:
    project = postgresql_project
    renew(project, fragile_server)
    add_revision(project, 'op.execute("SELECT pg_sleep(60)")')
    process = started_and_asleep(project, "SELECT pg_sleep(60)")
    fragile_server.stop(signal.SIGQUIT)
    line = failed(process)
    fragile_server.start()
    assert "the server closed the connection" in line


def started_and_asleep(project: Project, query: str) -> "subprocess.Popen[str]":
    """Start an upgrade and wait until it is in the middle of a statement."""
    process = start_process(project, "upgrade", "head")
    asleep = f"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '{query}'"
    with Session(project) as session:
        wait_until(lambda: session.count(asleep))
    return process


def killed_in_its_sleep(project: Project, query: str) -> None:
    """Kill an upgrade in the middle of a statement."""
    process = started_and_asleep(project, query)
    process.kill()
    output(process)
