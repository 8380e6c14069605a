"""What the role, the database or the server sets: a migration works, or says why before anything runs."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from dbkit.execution.last_word import read_error
from dbkit.locking import lock_key
from support.database_state import add_revision, dump, history
from support.processes import Session, failed, read_until, start, succeeded, wait_until
from support.projects import Project, ok, refusal
from support.servers import PostgresServer, account, running_server

pytestmark = pytest.mark.slow

SETTINGS = {
    "idle_session_timeout": "300ms",
    "idle_in_transaction_session_timeout": "300ms",
    "lock_timeout": "1ms",
    "statement_timeout": "100ms",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "standard_conforming_strings": "off",
    "DateStyle": "German, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Tokyo",
    "client_min_messages": "error",
    "quote_all_identifiers": "on",
    "bytea_output": "escape",
    "extra_float_digits": "0",
    "row_security": "off",
    "client_encoding": "LATIN1",
    "transaction_timeout": "300ms",
}


def set_for_database(project: Project, **settings: str) -> None:
    """Set them for everybody who connects to the project's database from now on, if the server has them."""
    name = project.url.rpartition("/")[2]
    known = {setting.lower() for (setting,) in project.sql("SELECT name FROM pg_settings")}
    for setting, value in settings.items():
        if setting.lower() in known:
            project.sql(f"ALTER DATABASE \"{name}\" SET {setting} = '{value}'")


def test_settings_of_the_database_do_not_end_a_migration(postgresql_project: Project) -> None:
    project = postgresql_project
    pause = '__import__("time").sleep(0.7)'  # nothing is said to the server meanwhile
    drop = 'op.execute("DROP TABLE told")'
    add_revision(project, 'op.execute("CREATE TABLE told (n INTEGER)")', pause, downgrade=drop)
    add_revision(
        project,
        'op.execute("SELECT pg_sleep(0.5)")',
        r'op.execute("""INSERT INTO told SELECT length(\'a\\b\')""")',
    )
    length = 'op.get_bind().scalar(sa.text("SELECT n FROM told"))'
    again = 'op.execute("CREATE TABLE told (n INTEGER)")'
    add_revision(project, f"assert {length} == 3", drop, downgrade=again)
    set_for_database(project, **SETTINGS)
    ok(project.make("migrate"))
    ok(project.make("migrate-test"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
    ok(project.make("migration-check"))
    ok(project.make("migration-log"))
    ok(project.make("migration-down"))


def test_a_pause_before_another_try_is_longer_than_a_session_may_idle(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    add_revision(project, 'op.execute("ALTER TABLE users ADD COLUMN more INTEGER")')
    with Session(project) as holder:
        holder.run("BEGIN", "LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        set_for_database(project, idle_session_timeout="100ms")
        process = start(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="0.2")
        read_until(process, "try 4 follows")
        holder.run("COMMIT")
        succeeded(process)


def test_a_database_that_is_read_only_by_default_says_so(postgresql_project: Project) -> None:
    project = postgresql_project
    set_for_database(project, default_transaction_read_only="on")
    before = dump(project, all_of_it=True)
    line = refusal(project.make("migrate"))
    assert "is read-only by default (default_transaction_read_only is on, " in line
    assert "nothing was changed" in line
    assert dump(project, all_of_it=True) == before


@pytest.fixture(scope="session")
def standby() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A primary, and a server that follows it."""
    with running_server() as primary, tempfile.TemporaryDirectory(prefix="pg-") as folder:
        other = PostgresServer(Path(folder), password=primary.password)
        who = account()
        if who:
            os.chown(folder, who["user"], who["group"])
        program: list[str | Path] = [primary.programs / "pg_basebackup", "-R", "--checkpoint=fast"]
        subprocess.run(
            [*program, "-D", other.data, "-d", primary.url()], check=True, capture_output=True, cwd="/", **who
        )
        other.start()
        yield primary, other
        other.stop()


def test_a_pending_upgrade_on_a_standby_says_so_and_at_head_nothing_is_wrong(
    postgresql_project: Project, standby: tuple[PostgresServer, PostgresServer]
) -> None:
    project, (primary, other) = postgresql_project, standby
    name = primary.create_database().rpartition("/")[2]
    project.write(".env", f"DATABASE_URL={primary.url(name)}\n")
    ok(project.make("migrate"))
    query = "SELECT count(*) FROM alembic_history"
    wait_until(lambda: name in other.sql("SELECT datname FROM pg_database"))
    wait_until(lambda: "history" in other.sql("SELECT tablename FROM pg_tables", name))
    wait_until(lambda: other.sql(query, name) == "1")
    project.write(".env", f"DATABASE_URL={other.url(name)}\n")
    assert "nothing to do" in ok(project.make("migrate"))
    add_revision(project)
    line = refusal(project.make("migrate"))
    assert "the server is a standby, which only reads" in line
    assert "nothing was changed" in line


def test_the_servers_own_reason_reaches_the_terminal_and_the_history(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    name = add_revision(project, 'op.execute("SELECT pg_terminate_backend(pg_backend_pid())")')
    line = refusal(project.make("migrate"))
    assert "the server closed the connection: terminating connection due to administrator command" in line
    [last] = [row for row in history(project) if row["revision"] == name]
    assert "terminating connection due to administrator command" in last["error"]


def test_an_error_after_which_the_server_went_on_is_no_reason_for_a_closed_connection() -> None:
    fields = b"SERROR\0C55P03\0Mcanceling statement due to lock timeout\0\0"
    error = b"E" + (len(fields) + 4).to_bytes(4, "big") + fields
    ready = b"Z\0\0\0\5I"
    assert isinstance(read_error(ready + error), asyncpg.LockNotAvailableError)
    assert read_error(error + ready) is None


def test_the_servers_reason_is_known_also_if_it_closes_a_session_that_pauses(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    name = add_revision(project, 'op.execute("ALTER TABLE users ADD COLUMN more INTEGER")')
    with Session(project) as holder:
        holder.run("BEGIN", "LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        process = start(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="0.1")
        read_until(process, "try 5 follows")
        end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'idle' AND "
        wait_until(lambda: holder.count(f"{end} application_name LIKE 'migration on %'"))
        line = failed(process)
    reason = "the server closed the connection: terminating connection due to administrator command"
    assert reason in line
    [last] = [row for row in history(project) if row["revision"] == name]
    assert "terminating connection due to administrator command" in last["error"]


def test_a_name_that_the_databases_encoding_lacks_fails_no_revision(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    postgres_server.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1")
    project.url = postgres_server.url("latin")
    project.write(".env", f"DATABASE_URL={project.url}\n")
    add_revision(project, "raise ValueError('Łódź')")
    line = refusal(project.make("migrate", LOGNAME="Łukasz"))
    assert "ValueError" in line
    names = [(row["executed_by"], row["outcome"]) for row in history(project)]
    assert names == [(r"\u0141ukasz", "done"), (r"\u0141ukasz", "failed")]


def test_row_level_security_that_hides_what_ran_is_named(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    database = project.url.rpartition("/")[2]
    project.script(f"""
        CREATE ROLE hidden_{database} LOGIN PASSWORD 'pw';
        GRANT ALL ON ALL TABLES IN SCHEMA public TO hidden_{database};
        ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY;
    """)
    url = postgres_server.url(database, user=f"hidden_{database}", password="pw")
    line = refusal(project.make("migrate", DATABASE_URL=url))
    assert "row-level security hides rows of alembic_version from this user" in line
    assert "nothing was changed" in line
    assert "nothing to do" in ok(project.make("migrate"))  # the owner sees all


def test_of_another_users_session_the_process_is_named(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    add_revision(project, 'op.execute("ALTER TABLE owned ADD COLUMN more INTEGER")')
    database = project.url.rpartition("/")[2]
    project.script(f"""
        CREATE ROLE plain_{database} LOGIN PASSWORD 'pw';
        GRANT ALL ON ALL TABLES IN SCHEMA public TO plain_{database};
        GRANT ALL ON SCHEMA public TO plain_{database};
        CREATE TABLE owned (n INTEGER);
        ALTER TABLE owned OWNER TO plain_{database};
    """)
    url = postgres_server.url(database, user=f"plain_{database}", password="pw")
    with Session(project) as holder:
        holder.run("BEGIN", "LOCK TABLE owned IN ACCESS EXCLUSIVE MODE")
        process = start(project, "upgrade", "head", DATABASE_URL=url, MIGRATION_LOCK_TIMEOUT="0.3")
        said = read_until(process, "try 2 follows")
        assert f"process {holder.pid} (reports, user postgres)" in said
        holder.run("COMMIT")
        succeeded(process)
        add_revision(project)
        holder.run(f"SELECT pg_advisory_lock({lock_key(database, 'alembic_version')})")
        line = refusal(project.make("migrate", DATABASE_URL=url, MIGRATION_WAIT="1"))
        assert f"another migration: reports, process {holder.pid}" in line
        assert "None" not in line
