"""The line of a failure says what to do, where that is known."""

import pytest

from support.database_state import failures, write_revision
from support.projects import Project, ok, refusal

pytestmark = pytest.mark.slow
STAMP = "(if the database has all of this revision already, record it: make migration-stamp REV="
# What a revision does, and what is said of it behind the database's own words.
BOTH = {
    "two": (
        'op.execute("SELECT 1; SELECT 2")',
        "(one statement in each op.execute; op.run_sql_file runs a file of several)",
    ),
    "table": ('op.create_table("users", sa.Column("id", sa.Integer))', f"{STAMP}table)"),
    "column": ('op.add_column("users", sa.Column("email", sa.Text))', f"{STAMP}column)"),
    "index": ('op.create_index("ix_users_is_active_created_at", "users", ["name"])', f"{STAMP}index)"),
    "colon": (
        "op.execute(\"UPDATE users SET name = ' :it'\")",
        r"'it' (a colon begins a parameter, \\: does not)",
    ),
    "exit": ("raise SystemExit(0)", "_exit.py:13: sys.exit() ends no migration, an exception does; "),
}
POSTGRESQL = {
    "schema": ('op.execute("CREATE SCHEMA public")', f"{STAMP}schema)"),
    "type": (
        'op.execute("CREATE TYPE kind AS ENUM ()")\nop.execute("CREATE TYPE kind AS ENUM ()")',
        f"{STAMP}type)",
    ),
    "syntax": ('op.execute("SELEC 1")', 'syntax error at or near "SELEC"; '),
    "owner": (
        'op.execute("SET ROLE pg_monitor")\nop.drop_table("users")',
        "('Two users' in alembic/README",
    ),
    "triggers": (
        'op.execute("CREATE TABLE kids (id uuid REFERENCES users DEFERRABLE INITIALLY DEFERRED)")\n'
        'op.execute("INSERT INTO kids SELECT id FROM users")\nop.drop_column("kids", "id")',
        "(change rows and tables in revisions of their own)",
    ),
    "not_null": (
        'op.add_column("users", sa.Column("zip", sa.Text, nullable=False))',
        "(give it a server_default, or see 'Zero downtime' in alembic/README.md)",
    ),
    "timeout": ('op.execute("SELECT pg_sleep(9)")', "(MIGRATION_TIMEOUT is 0.5 s)"),
    "cancelled": (
        'op.execute("SELECT pg_cancel_backend(pg_backend_pid())")',
        "so not by MIGRATION_TIMEOUT: ",
    ),
    "own_timeout": (
        'op.execute("SET statement_timeout = \'10ms\'")\nop.execute("SELECT pg_sleep(9)")',
        "or the revision set a statement_timeout)",
    ),
}
ONCE = "(a run is one transaction: type it once, in 'make db-shell')"
SQLITE = {
    "wal": ('op.execute("PRAGMA journal_mode = WAL")', ONCE),
    "not_null": (
        'op.add_column("users", sa.Column("zip", sa.Text, nullable=False))',
        "(give it a server_default, or see 'Zero downtime' in alembic/README.md)",
    ),
    "batch": (
        'op.alter_column("users", "name", type_=sa.Text())',
        "(write 'with op.batch_alter_table(…) as batch:')",
    ),
    "unsupported": (
        'op.create_unique_constraint("uq", "users", ["name"])',
        "refer to the batch mode feature",
    ),
    "vacuum": ('with op.get_context().autocommit_block():\n    op.execute("VACUUM")', ONCE),
}


def test_a_revision_that_fails_comes_with_what_to_do(project: Project) -> None:
    ok(project.alembic("upgrade", "head"))
    project.sql(f"INSERT INTO users (id, email, name) VALUES ('{1:032x}', 'x@example.com', 'x')")
    cases = BOTH | (POSTGRESQL if project.dialect == "postgresql" else SQLITE)
    project.variables["MIGRATION_TIMEOUT"] = "0.5"
    lines = failures(project, {name: upgrade for name, (upgrade, _) in cases.items()})
    assert {
        name: lines.get(name) for name, (_, said) in cases.items() if said not in lines.get(name, "")
    } == {}


def test_a_way_back_that_meets_what_is_there_is_not_told_to_stamp(sqlite_project: Project) -> None:
    project = sqlite_project
    write_revision(project, "one", downgrade='op.create_table("users", sa.Column("id", sa.Integer))')
    ok(project.alembic("upgrade", "head"))
    assert "table users already exists; nothing was changed" in refusal(project.alembic("downgrade", "-1"))


def test_what_a_run_has_made_itself_is_not_to_be_stamped(sqlite_project: Project) -> None:
    write_revision(sqlite_project, "again", 'op.create_table("users", sa.Column("id", sa.Integer))')
    assert "table users already exists; nothing was changed" in refusal(sqlite_project.make("migrate-test"))


def test_a_round_trip_of_two_heads_names_what_joins_them(sqlite_project: Project) -> None:
    for name in ("left", "right"):
        write_revision(sqlite_project, name)
    assert "2 heads, left, right ('make migration-merge' joins them)" in refusal(
        sqlite_project.make("migrate-test")
    )


def test_a_message_that_is_missing_is_shown_for_the_command_that_was_typed(sqlite_project: Project) -> None:
    for target in ("migration", "migration-empty"):
        assert f'make {target} MSG="' in refusal(sqlite_project.make(target))


def test_reading_makes_no_sqlite_file(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.make("migration-current"))
    assert "nothing ran here" in ok(project.make("migration-log"))
    assert "1 pending ('make migrate' runs them)" in refusal(project.make("migration-check"))
    assert "not up to date" in refusal(project.alembic("check"))
    ok(project.alembic("history", "-i"))
    assert not (project.path / "dev.db").exists()
