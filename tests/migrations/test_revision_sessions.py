"""Each revision, and each attempt at one, begins with the session that the first one had."""

import pytest

from support.database_state import add_revision, dump
from support.processes import Session, read_until, start, succeeded
from support.projects import INITIAL, Project, ok

pytestmark = pytest.mark.slow

# What a session has, as far as somebody notices.
STATE = """
    SELECT 'setting ' || name, setting FROM pg_settings WHERE name <> 'is_superuser'
    UNION ALL SELECT 'user', current_user UNION ALL SELECT 'session user', session_user
    UNION ALL SELECT 'temporary ' || relname, '' FROM pg_class WHERE relnamespace = pg_my_temp_schema()
    UNION ALL SELECT 'prepared ' || name, '' FROM pg_prepared_statements WHERE from_sql
    UNION ALL SELECT 'cursor ' || name, '' FROM pg_cursors WHERE is_holdable
    UNION ALL SELECT 'channel ' || channel, '' FROM pg_listening_channels() AS channel
"""
REMEMBER = f'op.execute("""CREATE TABLE before AS SELECT * FROM ({STATE}) AS state (what, value)""")'
COMPARE = (
    f'now = op.get_bind().execute(sa.text("""{STATE}""")).all()',
    'before = op.get_bind().execute(sa.text("SELECT what, value FROM public.before")).all()',
    "assert set(map(tuple, now)) == set(map(tuple, before)), set(now) ^ set(before)",
)
CHANGES = (
    "CREATE TEMPORARY TABLE mine (n INTEGER)",
    "SET lock_timeout = 0",
    "SET statement_timeout = 0",
    "SET search_path = ''",
    "SET TIME ZONE 'Asia/Tokyo'",
    "SET LOCAL work_mem = '10MB'",
    "SELECT set_config('my.own', '', false)",
    "SELECT set_config('DateStyle', 'German', false)",
    "SET standard_conforming_strings = off",
    "SET session_replication_role = replica",
    "SET default_transaction_read_only = on",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "PREPARE mine AS SELECT 1",
    "DECLARE mine CURSOR WITH HOLD FOR SELECT 1",
    "LISTEN mine",
    "SET ROLE pg_monitor",
)
OTHER_USER = ("SET SESSION AUTHORIZATION pg_monitor",)


@pytest.mark.parametrize("mode", ["transaction", "autocommit"])
@pytest.mark.parametrize("changes", [CHANGES, OTHER_USER], ids=["changes", "another user"])
def test_what_a_revision_changes_in_its_session_ends_with_it(
    postgresql_project: Project, changes: tuple[str, ...], mode: str
) -> None:
    project = postgresql_project
    lines = [f'op.execute("{statement}")' for statement in changes]
    if mode == "autocommit":
        lines = ["with op.get_context().autocommit_block():", *(f"    {line}" for line in lines)]
    add_revision(project, REMEMBER)
    add_revision(project, *lines)
    add_revision(project, *COMPARE, 'op.execute("CREATE TABLE told (n INTEGER)")')
    ok(project.alembic("upgrade", "head"))
    assert project.version() == ["step03"]
    assert "told" in project.tables()


def test_another_attempt_begins_with_the_session_of_the_first(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.alembic("upgrade", "head"))
    show = 'op.get_bind().scalar(sa.text("SHOW lock_timeout"))'
    add_revision(
        project,
        "with op.get_context().autocommit_block():",
        f"    assert {show} == '300ms'",
        "    op.execute(\"SET lock_timeout = '200ms'\")",
        '    op.execute("ALTER TABLE users ADD COLUMN more INTEGER")',
    )
    with Session(project) as holder:
        holder.run("BEGIN", "LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        process = start(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="0.3")
        read_until(process, "try 3 follows")
        holder.run("COMMIT")
        succeeded(process)


def test_no_statement_is_cached(postgresql_project: Project) -> None:
    project = postgresql_project
    read = 'op.execute("SELECT * FROM users")'
    add_revision(project, read, 'op.execute("ALTER TABLE users ADD COLUMN one INTEGER")', read)
    add_revision(project, 'op.execute("ALTER TABLE users ADD COLUMN two INTEGER")')
    add_revision(project, read)
    ok(project.alembic("upgrade", "head"))
    assert project.version() == ["step03"]


def test_what_a_revision_changes_in_sqlites_session_ends_with_it(sqlite_project: Project) -> None:
    project = sqlite_project
    names = ("legacy_alter_table", "ignore_check_constraints", "recursive_triggers", "query_only")
    add_revision(project, *(f'op.execute("PRAGMA {name} = ON")' for name in names))
    ask = 'op.get_bind().exec_driver_sql("PRAGMA {0}").scalar() == 0, "{0}"'
    add_revision(project, *(f"assert {ask.format(name)}" for name in names))
    ok(project.alembic("upgrade", "head"))
    assert project.version() == ["step02"]


def test_a_dump_that_empties_the_search_path_can_be_a_revision(postgresql_project: Project) -> None:
    project = postgresql_project
    add_revision(
        project,
        "op.execute(\"SELECT pg_catalog.set_config('search_path', '', false)\")",
        'op.execute("CREATE TABLE public.told (n INTEGER)")',
    )
    add_revision(project, 'op.execute("INSERT INTO told VALUES (1)")')
    ok(project.alembic("upgrade", "head"))
    assert project.sql("SELECT n FROM told") == [(1,)]
    assert INITIAL not in dump(project)
