"""Sessions that hold what a migration needs, and users who must not notice."""

import re
import signal
import time

import pytest

from support.database_state import add_revision, dump
from support.processes import (
    LONG,
    Session,
    add_table,
    applied,
    effective,
    failed,
    output,
    read_until,
    start,
    start_process,
    succeeded,
    visitors,
    wait_until,
)
from support.projects import INITIAL, Project, ok, refusal

pytestmark = pytest.mark.slow
LOCK_TIMEOUT = 2.0 if LONG else 0.3  # seconds
QUICKLY = {"MIGRATION_LOCK_TIMEOUT": str(LOCK_TIMEOUT)}
RETRY = re.compile(
    r"waited for a lock and was rolled back: process (\d+) \(reports, idle in transaction since"
)


def add_column(project: Project, name: str) -> str:
    """Write a revision that needs the table `items` for itself alone."""
    column = f'sa.Column("{name}", sa.Integer())'
    return add_revision(
        project, f'op.add_column("items", {column})', downgrade=f'op.drop_column("items", "{name}")'
    )


@pytest.fixture
def project(postgresql_project: Project) -> Project:
    """A project with a table that is in use."""
    column = 'sa.Column("id", sa.Integer(), primary_key=True), sa.Column("number", sa.Integer())'
    add_revision(
        postgresql_project, f'op.create_table("items", {column})', downgrade='op.drop_table("items")'
    )
    ok(postgresql_project.alembic("upgrade", "head"))
    postgresql_project.sql("INSERT INTO items SELECT n, 0 FROM generate_series(1, 100) AS n")
    return postgresql_project


def hold(session: Session) -> None:
    """Read the table, and leave the transaction open."""
    session.run("BEGIN", "SELECT count(*) FROM items")


def told(project: Project, revision: str) -> tuple[str, int, float, str]:
    """What the history says of a revision: outcome, retries, the wait for locks, the error."""
    columns = "outcome, retries, lock_wait, COALESCE(error, '')"
    rows = project.sql(f"SELECT {columns} FROM alembic_history WHERE revision = '{revision}'")
    assert len(rows) == 1, rows
    outcome, retries, lock_wait, error = rows[0]
    return outcome, retries, lock_wait, error


@pytest.mark.parametrize("seconds", [1, 2, 5] if LONG else [1])
def test_a_table_in_use_is_altered_and_its_users_hardly_wait(project: Project, seconds: int) -> None:
    name = add_column(project, "added")
    reads, writes = "SELECT sum(number) FROM items", "UPDATE items SET number = number + 1 WHERE id = 7"
    with Session(project) as holder, visitors(project, reads, writes) as (reader, writer):
        hold(holder)
        process = start(project, "upgrade", "head", **QUICKLY)
        wait_until(holder.somebody_waits)
        time.sleep(seconds)
        holder.run("COMMIT")
        printed = succeeded(process)
    assert max(reader.longest, writer.longest) < LOCK_TIMEOUT + 0.5
    outcome, retries, lock_wait, _ = told(project, name)
    assert outcome == "done"
    assert lock_wait > 0
    if seconds > LOCK_TIMEOUT:
        assert retries > 0
        assert lock_wait > seconds / 2  # seen from outside, now and then
        assert set(RETRY.findall(printed)) == {str(holder.pid)}
    assert len(RETRY.findall(printed)) == retries


def test_nobody_queues_behind_an_operation_that_waits_for_autovacuum(project: Project) -> None:
    add_revision(project, 'op.set_not_null_online("items", "number")')
    reads, writes = "SELECT sum(number) FROM items", "UPDATE items SET number = number + 1 WHERE id = 7"
    with Session(project) as vacuum, visitors(project, reads, writes) as (reader, writer):
        vacuum.run("BEGIN", "LOCK TABLE items IN SHARE UPDATE EXCLUSIVE MODE")  # as autovacuum does
        process = start(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="10")
        wait_until(vacuum.somebody_waits)
        time.sleep(1)
        vacuum.run("COMMIT")
        assert "waited for a lock" not in succeeded(process)
    assert max(reader.longest, writer.longest) < 0.5


def test_a_table_held_for_ever_is_given_up_and_stays_as_it_is(project: Project) -> None:
    name = add_revision(
        project,
        'op.create_table("made_before", sa.Column("id", sa.Integer()))',
        'op.add_column("items", sa.Column("added", sa.Integer()))',
    )
    before = dump(project)
    with Session(project) as holder:
        hold(holder)
        process = start(project, "upgrade", "head", MIGRATION_WAIT="1", MIGRATION_LOCK_TIMEOUT="0.3")
        printed = output(process)
        assert process.returncode != 0
        assert dump(project) == before
    line = printed.splitlines()[-1]
    assert "gave up after 1 s (MIGRATION_WAIT)" in line
    assert f"process {holder.pid} (reports, idle in transaction since" in line
    outcome, retries, lock_wait, error = told(project, name)
    assert (outcome, retries > 0, lock_wait >= 1) == ("failed", True, True)
    assert retries == len(re.findall(r"; try \d+ follows$", printed, re.MULTILINE))
    assert error in line
    assert effective(project) == applied(project)


def test_a_revision_that_fails_is_in_the_history(project: Project) -> None:
    name = add_revision(project, 'op.execute("SELECT nonsense")')
    line = failed(start(project, "upgrade", "head"))
    outcome, retries, _, error = told(project, name)
    assert (outcome, retries) == ("failed", 0)
    assert 'column "nonsense" does not exist' in error
    assert error in line


def test_a_revision_whose_commit_fails_is_not_done_in_the_history(project: Project) -> None:
    reference = '"ALTER TABLE items ADD FOREIGN KEY (number) REFERENCES items DEFERRABLE INITIALLY DEFERRED"'
    add_revision(project, 'op.execute("UPDATE items SET number = id")', f"op.execute({reference})")
    name = add_revision(project, 'op.execute("UPDATE items SET number = 0 WHERE id = 1")')
    assert "violates foreign key constraint" in failed(start(project, "upgrade", "head"))
    assert name not in applied(project)
    assert effective(project) == applied(project)


def test_steps_up_are_not_counted_anew_after_a_retry(project: Project) -> None:
    free = add_revision(project)
    blocked = add_column(project, "added")
    add_revision(project)
    upgrade_or_downgrade_behind_a_lock(project, "upgrade", "+2")
    assert project.version() == [blocked]
    assert effective(project)[-2:] == [free, blocked]


def test_steps_down_are_not_counted_anew_after_a_retry(project: Project) -> None:
    left = add_column(project, "kept")
    add_column(project, "added")
    add_revision(project)
    ok(project.alembic("upgrade", "head"))
    upgrade_or_downgrade_behind_a_lock(project, "downgrade", "-2")
    assert project.version() == [left]
    add_column(project, "more")
    upgrade_or_downgrade_behind_a_lock(project, "downgrade", "-1")
    assert project.version() == ["step01"]


def upgrade_or_downgrade_behind_a_lock(project: Project, command: str, target: str) -> None:
    """Let the first attempt fail because of a lock."""
    with Session(project) as holder:
        hold(holder)
        process = start(project, command, target, MIGRATION_LOCK_TIMEOUT="0.2")
        wait_until(holder.somebody_waits)
        time.sleep(0.5)
        holder.run("COMMIT")
        assert RETRY.search(succeeded(process))


def test_what_an_operation_has_done_before_it_waits_is_no_waiting(project: Project) -> None:
    name = add_revision(
        project,
        'op.backfill("items", "number = 1", where="number = 0", batch=10, pause=0.4)',
        'op.set_not_null_online("items", "number")',
    )
    with Session(project) as holder:
        hold(holder)
        process = start(project, "upgrade", "head", MIGRATION_WAIT="3", MIGRATION_LOCK_TIMEOUT="0.2")
        wait_until(holder.somebody_waits)
        time.sleep(0.4)
        holder.run("COMMIT")
        # Not "rolled back": what is filled stays so.
        assert "waited for a lock: process" in succeeded(process)
    assert told(project, name)[0] == "done"


def test_what_an_operation_has_done_is_not_said_to_be_gone(project: Project) -> None:
    fill = 'op.backfill("items", "number = 1", where="number = 0")'
    add_revision(project, fill, 'op.set_not_null_online("items", "number")')
    with Session(project) as holder:
        hold(holder)
        line = failed(start(project, "upgrade", "head", MIGRATION_WAIT="0.5", MIGRATION_LOCK_TIMEOUT="0.2"))
    assert "what it has done remains: run it again when the lock is free" in line
    assert project.sql("SELECT DISTINCT number FROM items") == [(1,)]


def test_an_attempt_that_failed_at_its_end_is_tried_again_from_where_the_database_stands(
    project: Project,
) -> None:
    lock = 'lambda ctx, **_: ctx.connection.exec_driver_sql("LOCK TABLE items")'
    project.edit(
        "alembic/env.py", "environment.run(metadata, ", f"environment.run(metadata, on_version_apply={lock}, "
    )
    name = add_revision(project)
    with Session(project) as holder:
        hold(holder)
        process = start(project, "upgrade", "head", **QUICKLY)
        said = read_until(process, "try 2 follows")
        holder.run("COMMIT")
        said += succeeded(process)
    assert project.version() == [name]
    assert told(project, name)[0] == "done"


def test_a_deadlock_is_tried_again(project: Project) -> None:
    move = 'op.execute("UPDATE items SET number = number + 10 WHERE id = {}")'
    name = add_revision(project, move.format(1), 'op.execute("SELECT pg_sleep(0.5)")', move.format(2))
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(0.5)'"
    with Session(project) as other, Session(project) as watcher:
        # It looks for deadlocks late, so that the migration is the one that finds this one.
        other.run("SET deadlock_timeout = '60s'", "BEGIN", "UPDATE items SET number = 1 WHERE id = 2")
        process = start(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="30")
        wait_until(lambda: watcher.count(asleep))
        other.run("UPDATE items SET number = 1 WHERE id = 1", "COMMIT")
        assert "step02 waited for a lock and was rolled back" in succeeded(process)
    assert told(project, name)[:2] == ("done", 1)
    assert project.sql("SELECT number FROM items WHERE id <= 2") == [(11,), (11,)]


def test_a_statement_that_takes_too_long_is_ended(project: Project) -> None:
    add_revision(project, 'op.execute("SELECT pg_sleep(10)")')
    line = failed(start(project, "upgrade", "head", DB_MIGRATION_TIMEOUT="0.5"))
    assert "canceling statement due to statement timeout" in line


def test_a_migration_interrupted_while_it_waits_is_one_line(project: Project) -> None:
    add_column(project, "added")
    with Session(project) as holder:
        hold(holder)
        process = start_process(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="30")
        wait_until(holder.somebody_waits)
        process.send_signal(signal.SIGTERM)
        assert "interrupted" in output(process)
        assert process.returncode != 0
        wait_until(lambda: not holder.somebody_waits())
    assert project.version() == ["step01"]
    assert INITIAL in effective(project)


def test_what_an_autocommit_block_committed_is_not_done_twice(project: Project) -> None:
    add_revision(
        project,
        "with op.get_context().autocommit_block():",
        '    op.execute("INSERT INTO items VALUES (1000)")',
        '    op.execute("ALTER TABLE items ADD COLUMN added integer")',
    )
    with Session(project) as holder:
        hold(holder)
        line = failed(start(project, "upgrade", "head", **QUICKLY))
    assert "canceling statement due to lock timeout; what its autocommit_block has done stays" in line
    assert project.sql("SELECT count(*) FROM items WHERE id = 1000") == [(1,)]


def test_a_function_that_a_block_has_called_is_not_called_again(project: Project) -> None:
    project.sql("CREATE SEQUENCE calls")
    add_revision(
        project,
        "with op.get_context().autocommit_block():",
        "    op.execute(\"SELECT nextval('calls')\")",
        '    op.execute("ALTER TABLE items ADD COLUMN added integer")',
    )
    with Session(project) as holder:
        hold(holder)
        assert "what its autocommit_block has done stays" in failed(
            start(project, "upgrade", "head", **QUICKLY)
        )
    assert project.sql("SELECT last_value FROM calls") == [(1,)]


def test_a_concurrent_index_of_ones_own_waits_for_others_without_a_lock_timeout(project: Project) -> None:
    asserted = f"DO $$ BEGIN ASSERT current_setting('lock_timeout') = '{LOCK_TIMEOUT * 1000:.0f}ms'; END $$"
    add_revision(
        project,
        "with op.get_context().autocommit_block():",
        '    op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS mine ON items (number)")',
        f'    op.execute("{asserted}")'.replace("2000ms", "2s"),
    )
    with Session(project) as holder:
        holder.run("BEGIN", "UPDATE items SET number = 1 WHERE id = 1")
        process = start(project, "upgrade", "head", **QUICKLY)
        wait_until(holder.somebody_waits)
        time.sleep(LOCK_TIMEOUT + 0.5)
        holder.run("COMMIT")
        assert "try 2" not in succeeded(process)
    assert project.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'mine'::regclass") == [(True,)]


OWN = """with op.get_context().autocommit_block():
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS mine")
    op.execute("CREATE INDEX CONCURRENTLY mine ON items (number)")"""


@pytest.mark.parametrize("operation", ['op.create_index_online("mine", "items", ["number"])', OWN])
@pytest.mark.parametrize("ended", ["connection", "process"])
def test_what_ends_an_operation_is_what_its_failure_says(
    project: Project, ended: str, operation: str
) -> None:
    name = add_revision(project, operation)
    with Session(project) as holder:
        holder.run("BEGIN", "UPDATE items SET number = 1 WHERE id = 1")
        process = start_process(project, "upgrade", "head")
        wait_until(holder.somebody_waits)
        if ended == "process":
            process.send_signal(signal.SIGTERM)
        else:
            project.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%mine%'"
                " AND pid <> pg_backend_pid()"
            )
        line = failed(process)
    error = told(project, name)[3]
    if ended == "process":
        assert "interrupted; what was not committed is undone" in line
        assert error == "interrupted"
    else:
        assert "the server closed the connection" in line
        assert "connection was closed in the middle of operation" in error
        assert "[SQL" not in error
    ok(project.alembic("upgrade", "head"))
    assert project.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'mine'::regclass") == [(True,)]


def test_an_operation_is_told_to_end_while_it_waits_for_its_moment(project: Project) -> None:
    name = add_revision(project, 'op.set_not_null_online("items", "number")')
    with Session(project) as holder:
        hold(holder)
        process = start_process(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="30")
        wait_until(holder.somebody_waits)
        process.send_signal(signal.SIGTERM)
        assert "interrupted; what was not committed is undone" in failed(process)
    assert told(project, name)[3] == "interrupted"
    assert project.sql("SELECT count(*) FROM pg_constraint WHERE conname = 'not_null_number'") == [(0,)]
    ok(project.alembic("upgrade", "head"))


def test_an_autocommit_block_that_has_committed_nothing_yet_is_tried_again(project: Project) -> None:
    add_revision(
        project,
        "with op.get_context().autocommit_block():",
        '    op.execute("ALTER TABLE items ADD COLUMN added integer")',
    )
    with Session(project) as holder:
        hold(holder)
        process = start(project, "upgrade", "head", **QUICKLY)
        wait_until(holder.somebody_waits)
        time.sleep(LOCK_TIMEOUT + 0.3)
        holder.run("COMMIT")
        assert RETRY.search(succeeded(process))


def test_sql_for_somebody_else_to_run_has_both_timeouts(project: Project) -> None:
    printed = ok(project.make("migration-sql", MIGRATION_TIMEOUT="7", MIGRATION_LOCK_TIMEOUT="0.5"))
    assert printed.startswith("SET lock_timeout = '500ms';\n\nSET statement_timeout = '7000ms';\n\nBEGIN;")


def lock(session: Session, table: str) -> None:
    """Lock a table as VACUUM FULL, ALTER TABLE and TRUNCATE do, also against those who read."""
    session.run("BEGIN", f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


def test_a_locked_table_that_no_revision_needs_stops_no_upgrade(project: Project) -> None:
    add_table(project, "others")
    project.sql("ALTER TABLE items ADD CHECK (number > -1)")  # the server reads the table to show it
    with Session(project) as holder:
        lock(holder, "items")
        printed = succeeded(start(project, "upgrade", "head", **QUICKLY))
    reason = f"a table is locked: process {holder.pid} (reports, idle in transaction since "
    assert f"the history does not keep the schema of this run: {reason}" in printed
    assert "others" in project.tables()


@pytest.mark.parametrize(
    ("command", "table"),
    [
        ("migration-check", "users"),
        ("migration-check", "alembic_version"),
        ("migration-current", "alembic_version"),
        ("migration-log", "alembic_history"),
    ],
)
def test_a_command_that_reads_says_who_has_locked_a_table(project: Project, command: str, table: str) -> None:
    with Session(project) as holder:
        lock(holder, table)
        line = refusal(project.make(command, MIGRATION_LOCK_TIMEOUT="0.3"))
    assert "a table that has to be read was locked for longer than 0.3 s (MIGRATION_LOCK_TIMEOUT): " in line
    assert f"process {holder.pid} (reports, idle in transaction since " in line
    assert f") has locked {table}; run it again when that has ended" in line
    assert line.endswith("; drift and models were not compared") == (table == "users")


def test_alembic_check_says_who_has_locked_a_table(project: Project) -> None:
    with Session(project) as holder:
        lock(holder, "users")
        process = start(project, "check", MIGRATION_LOCK_TIMEOUT="0.3")
        lines = output(process, 15).splitlines()
    assert process.returncode not in (0, None)
    assert len(lines) == 1, lines  # and no warning of a throwaway database that was not made
    [line] = lines
    assert f"process {holder.pid} (reports, idle in transaction since " in line
    assert ") has locked users; run it again when that has ended" in line


def test_an_upgrade_waits_for_who_has_locked_a_table_of_the_migrations(project: Project) -> None:
    name = add_column(project, "added")
    with Session(project) as holder:
        lock(holder, "alembic_version")
        process = start(project, "upgrade", "head", **QUICKLY)
        printed = read_until(process, "try 2 follows")
        assert f"a table of the migrations is locked: process {holder.pid} (reports" in printed
        holder.run("COMMIT")
        succeeded(process)
    assert project.version() == [name]


def test_an_upgrade_gives_up_where_a_table_of_the_migrations_stays_locked(project: Project) -> None:
    add_column(project, "added")
    with Session(project) as holder:
        lock(holder, "alembic_history")
        line = failed(start(project, "upgrade", "head", MIGRATION_WAIT="0.5", MIGRATION_LOCK_TIMEOUT="0.2"))
    assert "gave up after 0.5 s (MIGRATION_WAIT): a table of the migrations is locked" in line
    assert "has locked alembic_history" in line
