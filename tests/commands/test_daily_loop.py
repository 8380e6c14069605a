"""What a developer types every day, on both databases: each test by its effect, not its exit status."""

import contextlib
import os
import pty
import re
import socket
import sqlite3
import subprocess
import termios
from pathlib import Path

import pytest

from support.database_state import write_revision
from support.projects import INITIAL, PRODUCT, WITHOUT_PLUGINS, Project, environment, ok, refusal

pytestmark = pytest.mark.slow
uses_mypy = pytest.mark.xdist_group("mypy")  # one cache for all of them


@pytest.mark.first_on("sqlite")
def test_the_loop_from_a_changed_model_to_a_reset_database(project: Project) -> None:
    ok(project.make("migrate"))
    assert project.tables() == {"alembic_version", "users"}

    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    [revision] = project.revisions()
    assert re.fullmatch(r"\d{8}_\d{4}_add_products\.py", revision.name)

    ok(project.make("migrate"))
    assert "products" in project.tables()
    [head] = project.version()
    assert re.fullmatch(r"[0-9a-f]{12}", head)

    ok(project.make("migration-down"))
    assert "products" not in project.tables()
    assert project.version() == [INITIAL]

    ok(project.make("migrate"))
    project.sql(f"INSERT INTO users (id, email, name) VALUES ('{'0' * 31}1', 'a@example.com', 'A')")
    name = "dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2]
    reset = project.make("db-reset", f"CONFIRM={name}")
    ok(reset)
    assert re.fullmatch(r"\S.* is empty\n", reset.stdout)
    assert project.sql("SELECT * FROM users") == []
    assert project.version() == [head]


def test_a_port_that_cannot_be_had_is_one_line(sqlite_project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(sqlite_project.make("run", f"PORT={port}"))
        assert said == f"127.0.0.1:{port}: Address already in use; another port: make run PORT=8001"
    assert refusal(sqlite_project.make("run", "PORT=http")) == "PORT: not a port number: http"


@pytest.mark.first_on("sqlite")
def test_the_second_names_of_the_targets_do_the_same(project: Project) -> None:
    project.add_product()
    ok(project.make("migrate-create", "MESSAGE=add products"))
    assert len(project.revisions("add_products")) == 1
    ok(project.make("migrate-upgrade"))
    assert "products" in project.tables()
    assert project.version()[0] in ok(project.make("migrate-current"))
    assert "add products" in ok(project.make("migrate-history"))
    ok(project.make("migrate-downgrade"))
    assert project.version() == [INITIAL]


@pytest.mark.first_on("sqlite")
def test_no_change_writes_no_file_and_says_so(project: Project) -> None:
    ok(project.make("migrate"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
    assert project.revisions() == []
    assert "No new upgrade operations" in ok(project.alembic("check"))


def test_a_revision_holds_what_the_models_changed_and_nothing_of_the_development_database(
    project: Project,
) -> None:
    # Not migrated at all, and full of what somebody tried out.
    project.sql("CREATE TABLE tried_out (id INTEGER)")
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    text = project.revisions()[0].read_text("utf-8")
    assert 'op.create_table(\n        "products"' in text
    assert "tried_out" not in text
    assert "users" not in text
    assert project.tables() == {"tried_out"}


@pytest.mark.long
@uses_mypy
def test_a_generated_revision_is_formatted_linted_typed_and_imports_nothing_of_the_app(
    sqlite_project: Project,
) -> None:
    project = sqlite_project
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    ok(project.make("migration-empty", "MSG=fill products"))
    ok(project.make("lint", "typecheck"))
    for revision in project.revisions():
        assert not re.search(r"^(from|import) app\b|\bapp\.", revision.read_text("utf-8"), re.MULTILINE)


@pytest.mark.first_on("sqlite")
def test_migrate_test_works_on_a_database_of_its_own(project: Project) -> None:
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    printed = ok(project.make("migrate-test"))
    assert "down to base" in printed
    assert "pending: 0" in printed
    assert project.tables() == set()

    project.edit("app/models/shop/product.py", "String(80)", "String(90)")
    assert "differ" in refusal(project.make("migrate-test"))


def test_migrate_test_finds_a_downgrade_that_does_not_work(sqlite_project: Project) -> None:
    project = sqlite_project
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    project.edit(f"alembic/versions/{project.revisions()[0].name}", 'op.drop_table("products")', "pass")
    said = project.make("migrate-test")
    assert "1 downgrade does not restore what was there" in refusal(said)
    assert "  table products: only in the schema after its downgrade" in said.stdout


@pytest.mark.first_on("sqlite")
def test_a_step_up_and_a_step_down_to_a_named_revision(project: Project) -> None:
    for number in range(3):
        ok(project.make("migration-empty", f"MSG=step {number}"))
    ok(project.make("migrate", f"REV={INITIAL}"))
    assert project.version() == [INITIAL]
    ok(project.make("migrate", "REV=+1"))
    one = project.version()
    assert one != [INITIAL]
    ok(project.make("migrate"))
    ok(project.make("migration-down", "REV=-2"))
    assert project.version() == one
    ok(project.make("migration-down", "REV=base"))
    assert project.version() == []


def test_information_needs_no_more_than_it_shows(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.make("migrate"))
    assert INITIAL in ok(project.make("migration-current"))
    project.write(".env", "DATABASE_URL=postgresql://nobody:secret@127.0.0.1:1/none\n")
    assert "create users" in ok(project.make("migration-history"))
    assert "create users" in ok(project.make("migration-show", f"REV={INITIAL}"))
    assert "create users" in ok(project.alembic("history", "--verbose"))
    assert INITIAL in ok(project.alembic("heads"))
    assert "usage" in refusal(project.make("migration-show"))
    assert "usage" in refusal(project.make("migration-stamp"))


@pytest.mark.first_on("sqlite")
def test_history_marks_the_databases_place_where_it_is_asked_to(project: Project) -> None:
    ok(project.make("migration-empty", "MSG=later"))
    ok(project.make("migrate", f"REV={INITIAL}"))
    assert f"{INITIAL} (current)" in ok(project.alembic("history", "--indicate-current"))
    assert project.version() == [INITIAL]


def test_asking_where_a_database_is_changes_nothing_in_it(project: Project) -> None:
    ok(project.make("migration-current"))
    ok(project.alembic("history", "--indicate-current"))
    ok(project.alembic("current", "--verbose"))
    assert project.tables() == set()


def test_the_sql_of_all_revisions_builds_the_same_database(project: Project, tmp_path: Path) -> None:
    result = project.make("migration-sql")
    ok(result)
    ok(project.make("migrate"))
    if project.dialect == "sqlite":
        with sqlite3.connect(tmp_path / "by_hand.db") as connection:
            connection.executescript(result.stdout)
            query = "SELECT sql FROM sqlite_master WHERE name IN ('users', 'ix_users_is_active_created_at')"
            by_hand = [row[0].split() for row in connection.execute(query)]
            assert by_hand == [row[0].split() for row in project.sql(query)]
        connection.close()
    else:
        ok(project.make("db-reset", f"CONFIRM={project.url.rpartition('/')[2]}"))
        columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'users'"
        built = project.sql(columns)
        ok(project.make("migration-down"))
        project.sql("DROP TABLE alembic_version")
        project.script(result.stdout)
        assert project.sql(columns) == built
        assert project.version() == [INITIAL]


def test_the_sql_of_a_way_back_is_data_alone(project: Project) -> None:
    project.write(
        ".env", f"DATABASE_URL={'sqlite:///x.db' if project.dialect == 'sqlite' else 'postgresql://h/d'}"
    )
    result = project.make("migration-sql", "REV=head:base")
    ok(result)
    assert "DROP TABLE users" in result.stdout
    assert all(re.match(r"$|--|[A-Z )]", line) for line in result.stdout.splitlines()), result.stdout
    assert "INFO" not in result.stdout


@pytest.mark.first_on("sqlite")
def test_stamping_records_a_revision_without_running_it(project: Project) -> None:
    name = "dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2]
    assert refusal(project.make("migration-stamp", "REV=head")).endswith(f"CONFIRM={name}")
    assert project.tables() == set()
    ok(project.make("migration-stamp", "REV=head", f"CONFIRM={name}"))
    assert project.version() == [INITIAL]
    assert "users" not in project.tables()


def test_two_heads_are_named_refused_and_joined(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.make("migration-empty", "MSG=one"))
    ok(project.alembic("revision", "-m", "two", "--head", INITIAL, "--splice"))
    assert "migration-merge" in refusal(project.make("migrate"))
    assert "2 heads" in refusal(project.make("migration-check"))
    ok(project.make("migration-merge"))
    ok(project.make("migrate"))
    [head] = project.version()
    assert "merge heads" in ok(project.make("migration-show", f"REV={head}"))
    assert "nothing to merge" in refusal(project.make("migration-merge"))


@pytest.mark.first_on("sqlite")
def test_the_deployment_gate_says_what_is_wrong(project: Project) -> None:
    assert "1 pending" in refusal(project.make("migration-check"))
    ok(project.make("migrate"))
    ok(project.make("migration-check"))
    project.add_product()
    result = project.make("migration-check")
    assert "differ" in refusal(result)
    assert "products" in result.stdout


def test_the_gate_lets_labelled_heads_pass(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.alembic("revision", "-m", "one", "--branch-label", "one"))
    ok(project.alembic("revision", "-m", "two", "--head", INITIAL, "--splice", "--branch-label", "two"))
    ok(project.alembic("upgrade", "heads"))
    ok(project.make("migration-check"))


@uses_mypy
@pytest.mark.long  # the test of a generated revision lints and types the same files
def test_a_fresh_bake_passes_its_own_checks_and_formatting_it_changes_nothing(
    sqlite_project: Project,
) -> None:
    project = sqlite_project
    ok(project.make("lint", "typecheck"))
    before = {path: path.read_bytes() for path in project.path.rglob("*.py")}
    assert "left unchanged" in ok(project.make("format"))
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "processes", ["", pytest.param("-n 2", marks=pytest.mark.long)], ids=["alone", "in parallel"]
)
@pytest.mark.first_on("postgresql")
def test_a_fresh_bake_passes_its_own_tests_and_leaves_its_database_alone(
    project: Project, processes: str
) -> None:
    options = f"{WITHOUT_PLUGINS} {processes}"
    printed = ok(project.make("test", TEST_DATABASE_URL=project.url, PYTEST_ADDOPTS=options))
    assert " passed" in printed
    assert project.tables() == set()


@pytest.mark.long
def test_the_projects_tests_find_a_downgrade_that_leaves_something_behind(
    sqlite_project: Project,
) -> None:
    project = sqlite_project
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    project.edit(f"alembic/versions/{project.revisions()[0].name}", 'op.drop_table("products")', "pass")
    result = project.python("-m", "pytest", "-q", "tests/test_database_migrations.py")
    assert result.returncode == 1
    assert "test_every_revision_has_a_working_downgrade" in result.stdout


@pytest.mark.first_on("sqlite")
def test_long_work_shows_how_far_it_is_on_a_terminal_and_by_plain_lines_elsewhere(project: Project) -> None:
    before = INITIAL
    for number in range(60):
        write_revision(project, f"r{number:03}", after=before)
        before = f"r{number:03}"
    name = "dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2]
    plain = project.make("migrate")
    ok(plain)
    assert f"INFO [alembic.progress] revisions on {name}: 50 of 61\n" in plain.stderr
    check = project.make("migration-check")
    assert ok(check).startswith("ok: ")
    for printed in (plain.stdout + plain.stderr, check.stdout + check.stderr):
        assert set(re.findall(r"[\x00-\x1f]", printed)) == {"\n"}
    assert re.search("^revisions on .*throwaway.*: 50 of 61$", check.stderr, re.MULTILINE)

    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    command = [project.interpreter, "-m", "dbkit", "migration-down", INITIAL]
    with subprocess.Popen(command, cwd=project.path, env=environment(), stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the end, where nobody has the other side
            while read := os.read(controller, 65536):
                shown += read
    os.close(controller)
    assert process.returncode == 0
    assert f"\rrevisions on {name}:   0%|".encode() in shown
    assert b"| 60/60 [" in shown
    assert "alembic.progress" not in shown.decode()
