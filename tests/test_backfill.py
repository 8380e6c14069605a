"""`op.backfill` fills every row once, however often it is ended, and leaves alone what others fill."""

import subprocess
import sys

import pytest

from orders import at_first, transaction, until
from projects import Project, environment, ok, refusal
from states import add_revision

pytestmark = pytest.mark.slow
MARK = 'op.backfill("users", "name = name || \'!\'", where="name NOT LIKE \'%!\'", batch=500{})'
UNMARKED = "SELECT count(*) FROM users WHERE name NOT LIKE '%!'"


def migrating(project: Project) -> "subprocess.Popen[bytes]":
    """Alembic, at work."""
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=project.path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_backfill_that_is_killed_goes_on_and_fills_each_row_once(in_use: Project) -> None:
    project = in_use
    add_revision(project, MARK.format(", pause=0.2"))
    running = migrating(project)
    until(project, f"SELECT ({UNMARKED}) < 4000")
    running.kill()
    running.wait()
    assert 0 < project.sql(UNMARKED)[0][0] < 4000

    running = migrating(project)
    until(project, f"SELECT ({UNMARKED}) < 1500")
    nil = "00000000-0000-0000-0000-000000000000"
    project.sql(f"INSERT INTO users (id, email, name) VALUES ('{nil}', 'late', 'behind the key')")
    assert running.wait() == 0
    assert project.sql(UNMARKED) == [(0,)]
    assert project.sql("SELECT count(*) FROM users WHERE name LIKE '%!!'") == [(0,)]


def test_a_backfill_leaves_alone_what_somebody_else_has_filled_meanwhile(in_use: Project) -> None:
    project = in_use
    add_revision(project, MARK.format(""))
    with transaction(project, "UPDATE users SET name = 'theirs!' WHERE name = 'N1'", 5):
        ok(project.alembic("upgrade", "head"))
    assert project.sql("SELECT count(*) FROM users WHERE name LIKE 'theirs!!'") == [(0,)]
    assert project.sql(UNMARKED) == [(0,)]


def test_a_backfill_that_would_never_end_is_refused(project: Project) -> None:
    project = at_first(project)
    add_revision(project, 'op.backfill("users", "name = name || \'!\'", where="name <> \'\'")')
    line = refusal(project.alembic("upgrade", "head"))
    assert "backfill of users: a row still fulfils the condition although it was filled: name <> ''" in line
    assert project.sql("SELECT count(*) FROM users WHERE name LIKE '%!'") == [(0,)]
    if project.dialect == "postgresql":
        project.sql("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        project.sql("CREATE TRIGGER no BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION no()")
        assert "or a trigger?" in refusal(project.alembic("upgrade", "head"))
