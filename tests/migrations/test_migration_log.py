"""What ran, when, by whom and how it ended: `make migration-log`."""

import getpass
import socket
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest

from support.database_state import add_revision
from support.projects import INITIAL, Project, ok, refusal

pytestmark = pytest.mark.first_on("postgresql")


def test_each_revision_leaves_a_row_that_says_all_of_it(project: Project) -> None:
    project.variables["ENVIRONMENT"] = "staging"
    ok(project.make("migrate"))
    [row] = project.log()
    begun = datetime.fromisoformat(row.pop("started_at"))
    assert timedelta() < datetime.now(UTC) - begun < timedelta(minutes=1)
    assert UUID(row.pop("run_id"))
    assert 0 <= row.pop("duration") < 10
    assert 0 < row.pop("locks_held") < 10
    before, after = (row.pop(f"fingerprint_{when}").split() for when in ("before", "after"))
    assert before[:-1] == after[:-1]
    assert len(before[-1]) == len(after[-1]) == 64
    assert before[-1] != after[-1]
    [file] = (project.path / "alembic" / "versions").glob("*_create_users.py")
    assert row == {
        "id": 1,
        "revision": INITIAL,
        "down_revision": None,
        "direction": "upgrade",
        "lock_wait": 0.0,
        "retries": 0,
        "outcome": "done",
        "error": None,
        "executed_by": getpass.getuser(),
        "host": socket.gethostname(),
        "environment": "staging",
        "app_version": "0.1.0",
        "checksum": sha256(file.read_bytes()).hexdigest(),
    }


def test_every_way_and_every_outcome_is_told(project: Project) -> None:
    ok(project.make("migrate"))
    ok(project.make("migration-down"))
    name = "dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2]
    ok(project.make("migration-stamp", "REV=head", f"CONFIRM={name}"))  # which is not true
    add_revision(project, 'op.execute("nonsense")')
    refusal(project.make("migrate"))
    told = [(row["direction"], row["outcome"]) for row in project.log()]
    assert told == [("upgrade", "done"), ("downgrade", "done"), ("stamp", "done"), ("upgrade", "failed")]
    assert "nonsense" in project.log()[-1]["error"]
    assert project.log()[-1]["down_revision"] == INITIAL

    table = project.make("migration-log").stdout.splitlines()
    assert len(table) == 5
    assert table[0].split()[:3] == ["started", "(UTC)", "direction"]
    assert "downgrade" in table[2]
    assert "nonsense" in table[4]


def test_a_stamp_that_cannot_be_told_of_is_none(project: Project) -> None:
    ok(project.make("migrate"))
    project.sql("ALTER TABLE alembic_history RENAME COLUMN error TO mistake")
    refusal(project.alembic("stamp", "--purge", "head"))
    assert project.version() == [INITIAL]


def test_the_revisions_of_one_command_have_one_run(project: Project) -> None:
    ok(project.make("migration-empty", "MSG=second"))
    ok(project.make("migrate"))
    ok(project.make("migration-down"))
    first, second, third = (row["run_id"] for row in project.log())
    assert first == second != third


def test_a_database_without_a_history_has_an_empty_one(project: Project) -> None:
    assert "nothing ran here" in project.make("migration-log").stdout
    assert project.log() == []
    ok(project.make("migrate"))
    project.sql("DROP TABLE alembic_history")
    ok(project.make("migration-empty", "MSG=second"))
    ok(project.make("migrate"))
    assert [row["outcome"] for row in project.log()] == ["done"]


def test_locks_are_held_for_the_longest_transaction_and_not_for_all_of_an_operation(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    add_revision(project, 'op.backfill("users", "name = \'b\'", where="name = \'a\'", batch=1, pause=0.3)')
    ok(project.alembic("upgrade", INITIAL))
    rows = "SELECT gen_random_uuid(), i::text, 'a' FROM generate_series(1, 5) i"
    project.sql(f"INSERT INTO users (id, email, name) {rows}")
    ok(project.make("migrate"))
    _, row = project.log()
    assert row["duration"] > 1.5
    assert 0 < row["locks_held"] < 0.7


def test_what_somebody_else_runs_as_sql_is_told_too(project: Project) -> None:
    project.variables["ENVIRONMENT"] = "staging"
    add_revision(project, "pass")
    upgrade = project.make("migration-sql").stdout
    assert upgrade == project.make("migration-sql").stdout
    project.script(upgrade)
    project.script(project.make("migration-sql", "REV=step01:-1").stdout)
    told = project.log()
    assert [(row["direction"], row["revision"], row["down_revision"], row["outcome"]) for row in told] == [
        ("upgrade", INITIAL, None, "done"),
        ("upgrade", "step01", INITIAL, "done"),
        ("downgrade", "step01", INITIAL, "done"),
    ]
    up, more, down = told
    assert up["run_id"] == more["run_id"] != down["run_id"]
    assert datetime.now(UTC) - datetime.fromisoformat(up["started_at"]) < timedelta(minutes=1)
    assert (up["environment"], up["app_version"]) == ("staging", "0.1.0")
    if project.dialect == "postgresql":
        assert up["executed_by"] == project.sql("SELECT session_user::text")[0][0]
        assert up["host"] == "127.0.0.1"
        assert 0 < up["duration"] <= up["locks_held"] < 10
    else:
        assert (up["executed_by"], up["host"], up["duration"]) == ("unknown", "unknown", 0)
    # What is told is what guards: the file is known to have run as it was.
    [initial] = (project.path / "alembic" / "versions").glob("*_create_users.py")
    initial.write_text(initial.read_text("utf-8") + "\n# edited\n", "utf-8")
    assert "create_users.py was edited after it ran here" in refusal(project.make("migrate"))


def test_the_history_is_no_table_of_the_models(project: Project) -> None:
    ok(project.make("migrate"))
    assert project.sql("SELECT count(*) FROM alembic_history") == [(1,)]
    ok(project.alembic("check"))
    ok(project.make("migration-check"))


def test_a_message_of_an_error_stays_on_its_line(project: Project) -> None:
    add_revision(project, "raise ValueError('one\\ntwo')")
    refusal(project.make("migrate"))
    assert len(project.make("migration-log").stdout.splitlines()) == 1 + len(project.log())
