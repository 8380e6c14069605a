"""`op.backfill` fills every row once, however often it is ended, and leaves alone what others fill."""

import subprocess
import sys

import pytest

from support.database_state import add_revision
from support.online_fixtures import at_first, transaction, until
from support.projects import INITIAL, Project, environment, ok, refusal
from support.servers import PostgresServer

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
    until(project, f"SELECT ({UNMARKED}) < 3000")
    nil = "00000000-0000-0000-0000-000000000000"
    project.sql(f"INSERT INTO users (id, email, name) VALUES ('{nil}', 'late', 'behind the key')")
    assert running.wait() == 0
    assert project.sql(UNMARKED) == [(0,)]
    assert project.sql("SELECT count(*) FROM users WHERE name LIKE '%!!'") == [(0,)]


def test_a_backfill_leaves_alone_what_somebody_else_has_filled_meanwhile(in_use: Project) -> None:
    project = in_use
    project.write(".env", f"DATABASE_URL={project.url}\nMIGRATION_LOCK_TIMEOUT=30\n")
    add_revision(project, MARK.format(""))
    with transaction(project, "UPDATE users SET name = 'theirs!' WHERE name = 'N1'", 5):
        ok(project.alembic("upgrade", "head"))
    assert project.sql("SELECT count(*) FROM users WHERE name LIKE 'theirs!!'") == [(0,)]
    assert project.sql(UNMARKED) == [(0,)]


def test_a_backfill_of_odd_tables(in_use: Project, postgres_server: PostgresServer) -> None:
    project, name = in_use, in_use.url.rpartition("/")[2]
    postgres_server.sql(
        "CREATE TABLE batch (k bytea PRIMARY KEY, code int, pass boolean);"
        "INSERT INTO batch SELECT n::text::bytea, n FROM generate_series(1, 10) n",
        name,
    )
    add_revision(project, 'op.backfill("usrs", "a = 1", where="a = 2")')
    assert 'relation "usrs" does not exist' in refusal(project.alembic("upgrade", "head"))
    project.revisions()[-1].unlink()
    ask = "pass = (SELECT b.code > 5 FROM batch b WHERE b.k = batch.k)"
    add_revision(project, f'op.backfill("batch", "{ask}", where="pass IS NULL", key="k", batch=3)')
    upgrade = project.alembic("upgrade", f"{INITIAL}:head", "--sql").stdout
    for by_hand in (False, True):
        if by_hand:
            postgres_server.sql(upgrade, name)
        else:
            ok(project.alembic("upgrade", "head"))
        assert project.sql("SELECT count(*) FROM batch WHERE pass = (code > 5)") == [(10,)]
        project.sql("UPDATE batch SET pass = NULL")
        project.sql(f"UPDATE alembic_version SET version_num = '{INITIAL}'")


def test_a_backfill_that_fills_nothing_says_so_in_both_ways(
    in_use: Project, postgres_server: PostgresServer
) -> None:
    project, name = in_use, in_use.url.rpartition("/")[2]
    postgres_server.sql(
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER nothing BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION nothing()",
        name,
    )
    add_revision(project, MARK.format(""))
    upgrade = project.alembic("upgrade", f"{INITIAL}:head", "--sql").stdout
    with pytest.raises(AssertionError, match="other rows fulfil the condition each time, in 10 passes"):
        postgres_server.sql(upgrade, name)
    line = refusal(project.alembic("upgrade", "head"))
    assert "0 rows filled, and each time others fulfil the condition" in line
    assert project.version() == [INITIAL]


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
