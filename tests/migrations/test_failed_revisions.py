"""A revision that fails leaves the database as it was, and a row in the history that says why."""

import hashlib
import re
import socket
from pathlib import Path

import pytest

from support.database_state import HISTORY, dump, history, write_revision
from support.processes import start
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer

pytestmark = pytest.mark.slow

# What a revision does in turn, and the same kind of statement failing, on both databases.
STATEMENTS = {
    "create a table": (
        'op.create_table("books", sa.Column("id", sa.Integer, primary_key=True), '
        'sa.Column("title", sa.String(20)))',
        'op.create_table("users", sa.Column("id", sa.Integer))',
    ),
    "add a column": (
        'op.add_column("users", sa.Column("nickname", sa.String(20)))',
        'op.add_column("missing", sa.Column("nickname", sa.String(20)))',
    ),
    "change rows": (
        "op.execute(\"UPDATE users SET name = 'changed'\")",
        "op.execute(\"UPDATE users SET email = 'one for all'\")",
    ),
    "change a type": (
        'with op.batch_alter_table("users") as batch:\n    batch.alter_column("name", type_=sa.String(300))',
        'with op.batch_alter_table("users") as batch:\n    batch.alter_column("missing", type_=sa.String(1))',
    ),
    "insert rows": (
        "op.execute(\"INSERT INTO books (id, title) VALUES (1, 'one')\")",
        "op.execute(\"INSERT INTO books (id, title) VALUES (1, 'one'), (1, 'again')\")",
    ),
    "create an index": (
        'op.create_index("ix_books_title", "books", ["title"])',
        'op.create_index("ix_books_title", "books", ["missing"])',
    ),
    "drop an index": (
        'op.drop_index("ix_users_is_active_created_at", "users")',
        'op.drop_index("ix_missing", "users")',
    ),
    "drop a table": ('op.drop_table("books")', 'op.drop_table("missing")'),
    "compute": ("name = str(1)", 'open("no such file")'),
}
GOOD = [good for good, _ in STATEMENTS.values()]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def prepared(
    request: pytest.FixtureRequest, default_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A project whose database has rows and two revisions: made once, to be copied."""
    url = "sqlite:///dev.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create_database()
    project = Project.adopt(default_project, tmp_path_factory.mktemp("prepared") / "project", url)
    write_revision(project, "good", 'op.execute("CREATE TABLE good (id INTEGER)")')
    ok(project.alembic("upgrade", "head"))
    for number in (1, 2):
        key = f"{number:032x}"
        project.sql(f"INSERT INTO users (id, email, name) VALUES ('{key}', 'u{number}@example.com', 'U')")
    return project


@pytest.fixture
def stocked(prepared: Project, tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    """A copy of it, to spoil."""
    url = prepared.url
    if prepared.dialect == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database(template=url.rpartition("/")[2])
    return Project.adopt(prepared.path, tmp_path / "project", url)


@pytest.mark.parametrize(
    "position",
    [
        pytest.param(place, id=name, marks=() if place % 4 == 0 else pytest.mark.long)
        for place, name in enumerate(STATEMENTS)
    ],
)
def test_a_revision_that_fails_at_any_statement_leaves_the_database_as_it_was(
    stocked: Project, position: int
) -> None:
    project, before = stocked, dump(stocked)
    bad = list(STATEMENTS.values())[position][1]
    write_revision(project, "bad", *GOOD[:position], bad, *GOOD[position + 1 :], after="good")
    assert re.search(r"_bad\.py:\d+: ", refusal(project.alembic("upgrade", "head")))
    assert dump(project) == before
    assert [(row["revision"], row["outcome"]) for row in history(project)] == [
        (INITIAL, "done"),
        ("good", "done"),
        ("bad", "failed"),
    ]


@pytest.mark.first_on("postgresql")
def test_a_failure_tells_the_history_who_ran_what_where_and_why_but_no_password(stocked: Project) -> None:
    project, before = stocked, dump(stocked)
    project.variables = {"ENVIRONMENT": "staging", "LOGNAME": "deployer"}
    project.edit("pyproject.toml", 'version = "0.1.0"', 'version = "4.5.6"')
    secret = "op.get_bind().execute(sa.text(\"INSERT INTO missing VALUES (:it)\"), {'it': 'hush-hush'})"
    path = write_revision(project, "bad", *GOOD, secret, after="good")
    refusal(project.alembic("upgrade", "head"))

    assert dump(project) == before
    *done, failed = history(project)
    assert [row["outcome"] for row in done] == ["done", "done"]
    assert {row["error"] for row in done} == {None}
    assert failed["revision"] == "bad"
    assert failed["down_revision"] == "good"
    assert failed["direction"] == "upgrade"
    assert failed["outcome"] == "failed"
    assert re.search(r"_bad\.py:\d+: .*missing", failed["error"])
    assert failed["executed_by"] == "deployer"
    assert failed["host"] == socket.gethostname()
    assert failed["environment"] == "staging"
    assert failed["app_version"] == "4.5.6"
    assert failed["checksum"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert failed["retries"] == 0
    assert failed["duration"] > 0
    assert failed["run_id"] not in {row["run_id"] for row in done}
    assert "hush-hush" not in dump(project, all_of_it=True)
    if project.dialect == "postgresql":
        assert project.url.partition("@")[0].rpartition(":")[2] not in dump(project, all_of_it=True)


def write_three(project: Project, last: str) -> None:
    write_revision(project, "first", "op.execute(\"UPDATE users SET name = 'first'\")")
    create = 'op.execute("CREATE TABLE second (id INTEGER)")'
    write_revision(project, "second", create, after="first")
    write_revision(project, "third", *GOOD, last, after="second")


def test_on_sqlite_a_run_whose_third_revision_fails_changes_nothing_at_all(sqlite_project: Project) -> None:
    project = sqlite_project
    write_three(project, 'op.drop_table("missing")')
    assert "nothing was changed" in refusal(project.alembic("upgrade", "head"))
    assert project.tables() == set()
    [failed] = history(project)
    assert (failed["revision"], failed["outcome"]) == ("third", "failed")

    ok(project.alembic("upgrade", INITIAL))
    project.sql(f"INSERT INTO users (id, email, name) VALUES ('{1:032x}', 'u@example.com', 'U')")
    before = dump(project)
    assert "nothing was changed" in refusal(project.alembic("upgrade", "head"))
    assert dump(project) == before
    told = [(row["revision"], row["outcome"]) for row in history(project)]
    third = ("third", "failed")
    assert told == [third, (INITIAL, "done"), third]


@pytest.mark.first_on("postgresql")
def test_a_mended_revision_runs_and_the_history_tells_of_both_attempts(project: Project) -> None:
    write_three(project, 'op.drop_table("missing")')
    refusal(project.alembic("upgrade", "head"))
    if project.dialect == "postgresql":  # what is done stays done
        assert project.version() == ["second"]
    write_three(project, "pass")
    ok(project.alembic("upgrade", "head"))
    assert project.version() == ["third"]
    rows = history(project)
    done = [row["revision"] for row in rows if row["outcome"] == "done"]
    assert done == [INITIAL, "first", "second", "third"]
    bad, good = (row for row in rows if row["revision"] == "third")
    assert (bad["outcome"], good["outcome"]) == ("failed", "done")
    assert bad["checksum"] != good["checksum"]


def test_a_way_back_that_fails_leaves_the_database_as_it_was(project: Project) -> None:
    write_revision(project, "one", *GOOD, downgrade='op.execute("DELETE FROM users"); open("no such file")')
    ok(project.alembic("upgrade", "head"))
    project.sql(f"INSERT INTO users (id, email, name) VALUES ('{1:032x}', 'u@example.com', 'U')")
    before = dump(project)
    assert re.search(r"_one\.py:\d+: FileNotFoundError", refusal(project.alembic("downgrade", "-1")))
    assert dump(project) == before
    failed = history(project)[-1]
    assert (failed["direction"], failed["outcome"]) == ("downgrade", "failed")


def test_what_a_revision_breaks_at_its_commit_is_one_line_that_names_it(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.alembic("upgrade", "head"))
    before = dump(project)
    write_revision(
        project,
        "late",
        'op.execute("CREATE TABLE late (ref uuid REFERENCES users DEFERRABLE INITIALLY DEFERRED)")',
        "op.execute(\"INSERT INTO late VALUES ('00000000-0000-0000-0000-00000000000f')\")",
    )
    line = refusal(project.alembic("upgrade", "head"))
    assert re.search(r"FAILED: 20260102_0000_late\.py: .*late_ref_fkey.*this revision changed nothing", line)
    assert dump(project) == before
    assert history(project)[-1]["outcome"] == "failed"


def test_a_revision_that_drops_the_table_of_versions_is_undone(stocked: Project) -> None:
    before = dump(stocked)
    write_revision(stocked, "late", 'op.drop_table("alembic_version")', after="good")
    assert "FAILED: 20260102_0000_late.py: " in refusal(stocked.alembic("upgrade", "head"))
    assert dump(stocked) == before
    assert history(stocked)[-1]["outcome"] == "failed"


@pytest.mark.first_on("postgresql")
def test_a_database_without_a_history_is_migrated_and_has_one_from_then_on(project: Project) -> None:
    ok(project.alembic("upgrade", "head"))
    assert "No new upgrade operations" in ok(project.alembic("check"))  # the history is no change
    project.sql(f"DROP TABLE {HISTORY}")
    before = dump(project, all_of_it=True)
    ok(project.alembic("upgrade", "head"))  # nothing to run, nothing to tell
    assert dump(project, all_of_it=True) == before
    write_revision(project, "one", *GOOD)
    ok(project.alembic("upgrade", "head"))
    told = [(row["revision"], row["direction"]) for row in history(project)]
    assert told == [("one", "upgrade")]


def test_processes_that_create_the_history_at_once_do_not_race(project: Project) -> None:
    ok(project.alembic("upgrade", "head"))
    project.sql(f"DROP TABLE {HISTORY}")
    write_revision(project, "one", *GOOD)
    processes = [start(project, "upgrade", "head") for _ in range(3)]
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
    assert [row["revision"] for row in history(project)] == ["one"]


@pytest.mark.first_on("postgresql")
def test_processes_that_fail_at_once_without_a_history_all_tell_it(project: Project) -> None:
    ok(project.alembic("upgrade", "head"))
    project.sql(f"DROP TABLE {HISTORY}")
    write_revision(project, "bad", 'op.drop_table("missing")')
    processes = [start(project, "upgrade", "head") for _ in range(8)]
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode != 0
        assert "Traceback" not in output
        assert "_bad.py" in output
        assert "was not told" not in output
    assert [row["outcome"] for row in history(project)] == ["failed"] * 8
