"""Many instances that migrate one database at once."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
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
    read_until,
    start,
    start_process,
    succeeded,
    wait_until,
)
from support.projects import INITIAL, Project, ok

pytestmark = pytest.mark.slow

# The key as `dbkit/locking/advisory_lock.py` documents it, made by the server itself.
LOCK_KEY = (
    "('x' || encode(substr(sha256(convert_to("
    "'alembic:' || current_database() || ':alembic_version', 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint"
)
# A migration calls itself so when it has seen what there is to do, before it asks for the lock.
CAME_FOR_THE_LOCK = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name LIKE 'migration on %'"
)
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"


def add_some_of_each_kind(project: Project, count: int) -> None:
    """Write `count` revisions, with a concurrent index and a slow data revision among them."""
    concurrent = project.dialect == "postgresql"
    number = 'sa.Column("number", sa.Integer())'
    add_revision(
        project, f'op.create_table("items", sa.Column("id", sa.Integer(), primary_key=True), {number})'
    )
    series = (
        "SELECT n, 0 FROM generate_series(1, 1000) AS n"
        if concurrent
        else "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1000) "
        "SELECT n, 0 FROM s"
    )
    add_revision(project, f'op.execute("INSERT INTO items {series}")')
    # Applied twice, it would count to two.
    wait = 'op.execute("SELECT pg_sleep(0.5)")' if concurrent else '__import__("time").sleep(0.5)'
    add_revision(project, wait, 'op.execute("UPDATE items SET number = number + 1")')
    add_revision(
        project, 'op.create_index("ix_items_number", "items", ["number"], postgresql_concurrently=True)'
    )
    for each in range(count - 4):
        add_table(project, f"table{each}")


@pytest.fixture
def crowded(project: Project) -> Project:
    """A project with revisions of each kind."""
    add_some_of_each_kind(project, either(6, 20))
    return project


@contextmanager
def lock_held(project: Project) -> Iterator[Session]:
    """Another instance migrates, and takes its time."""
    with Session(project, "the other instance") as other:
        other.run(f"SELECT pg_advisory_lock({LOCK_KEY})")
        yield other


def offline(project: Project, target: str) -> str:
    """The SQL of an upgrade from nothing."""
    result = project.alembic("upgrade", target, "--sql")
    ok(result)
    return result.stdout


def test_many_instances_that_upgrade_at_once_apply_each_revision_once(crowded: Project) -> None:
    project = crowded
    postgresql = project.dialect == "postgresql"
    many = [start(project, "upgrade", "head") for _ in range(either(8, 50) if postgresql else 8)]
    for process in many:
        succeeded(process, either(100, 600))
    history = project.sql("SELECT revision, direction, outcome FROM alembic_history ORDER BY id")
    assert history == [(name, "upgrade", "done") for name in applied(project)]
    assert len(history) == either(6, 20) + 1
    assert project.sql("SELECT count(*), min(number), max(number) FROM items") == [(1000, 1, 1)]
    if postgresql:
        assert project.sql(INVALID) == [(0,)]
        assert project.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_items_number'") == [(1,)]


def test_at_head_and_to_read_nobody_waits_for_the_lock(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.alembic("upgrade", "head"))
    with lock_held(project):
        many = [
            start(project, *command.split(), MIGRATION_WAIT="3")
            for command in ("upgrade head", "current", "history", "check", "heads")
        ]
        for process in many:
            assert "waiting for" not in succeeded(process)


def test_whoever_waits_says_for_whom_and_gives_up_in_one_line(postgresql_project: Project) -> None:
    project = postgresql_project
    with lock_held(project) as other:
        process = start(project, "upgrade", "head", MIGRATION_WAIT="1")
        line = failed(process, 60)  # fifty others may be at work
    assert "gave up after 1 s (MIGRATION_WAIT)" in line
    assert f"waiting for another migration: the other instance, process {other.pid}, connected since" in line
    assert "users" not in project.tables()


def test_a_step_is_counted_from_where_the_other_instance_stopped(postgresql_project: Project) -> None:
    project = postgresql_project
    names = [add_table(project, f"table{each}") for each in range(2)]
    first = offline(project, names[0])
    with lock_held(project) as other:
        process = start(project, "upgrade", "+1")
        wait_until(lambda: other.count(CAME_FOR_THE_LOCK))
        # The other instance does the step that this one came for too.
        other.run(first, f"SELECT pg_advisory_unlock({LOCK_KEY})")
        succeeded(process)
    assert project.version() == [names[1]]


def test_whoever_comes_first_after_another_finds_nothing_to_do(postgresql_project: Project) -> None:
    project = postgresql_project
    everything = offline(project, "head")
    with Session(project) as other:
        # Between its first look and the lock, a migration asks for its session's settings.
        other.run("BEGIN", "LOCK TABLE pg_settings IN ACCESS EXCLUSIVE MODE")
        process = start(project, "upgrade", "head")
        wait_until(other.somebody_waits)
        with Session(project) as by_hand:
            by_hand.run(everything)
        other.run("COMMIT")
        succeeded(process)
    assert project.version() == [INITIAL]


def test_two_that_go_one_step_each_go_two_together(postgresql_project: Project) -> None:
    project = postgresql_project
    names = [add_revision(project, 'op.execute("SELECT pg_sleep(0.3)")') for _ in range(3)]
    ok(project.alembic("upgrade", INITIAL))
    for process in [start(project, "upgrade", "+1") for _ in range(2)]:
        succeeded(process)
    assert project.version() == [names[1]]
    assert effective(project) == [INITIAL, *names[:2]]


def test_on_sqlite_a_run_waits_for_another_writer_before_it_begins(sqlite_project: Project) -> None:
    project = sqlite_project
    with closing(sqlite3.connect(project.path / "dev.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        process = start_process(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="30")
        opened = Path(f"/proc/{process.pid}/fd")

        def has_opened() -> bool:
            with suppress(FileNotFoundError):  # a file that it has closed meanwhile
                return any(file.resolve().name == "dev.db" for file in opened.iterdir())
            return False

        wait_until(has_opened)
        time.sleep(1)  # it finds what is pending, and then wants to write
        other.execute("COMMIT")
    assert "try 2 follows" not in succeeded(process)
    assert applied(project) == [INITIAL] == effective(project)


def test_on_sqlite_a_commit_that_meets_a_reader_is_tried_again(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.alembic("upgrade", "head"))
    name = add_table(project, "added")
    with closing(sqlite3.connect(project.path / "dev.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM users")
        process = start(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="0.3")
        said = read_until(process, "try 2 follows")
        reader.execute("COMMIT")
        said += succeeded(process)
    assert "was not told" not in said
    assert applied(project) == [INITIAL, name] == effective(project)
