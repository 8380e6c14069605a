"""The operations that change a PostgreSQL table in use, with real migrations of a real database."""

import re

import pytest

from support.database_state import add_revision
from support.online_fixtures import (
    ALEMBICS,
    BACKFILL,
    CHECK,
    FOREIGN,
    INDEX,
    NOT_NULL,
    TOKEN,
    UNIQUE,
    at_first,
    shape,
    transaction,
)
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer

pytestmark = pytest.mark.slow


def test_what_reads_a_table_does_so_under_a_lock_that_stops_nobody(in_use: Project) -> None:
    project = in_use
    add_revision(project, CHECK, FOREIGN, NOT_NULL, TOKEN)
    script = project.alembic("upgrade", f"{INITIAL}:head", "--sql").stdout
    for table, name in (
        ("users", "ck_users_named"),
        ("orders", "fk_orders"),
        ("orders", "not_null_user_id"),
        ("users", "not_null_token"),
    ):
        not_valid = rf"ALTER TABLE {table} ADD CONSTRAINT {name} [^;]* NOT VALID;\s+COMMIT;"
        assert re.search(rf"{not_valid}\s+ALTER TABLE {table} VALIDATE CONSTRAINT {name};", script)
    not_null = r"ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL;"
    assert re.search(rf"VALIDATE CONSTRAINT not_null_user_id;\s+BEGIN;\s+LOCK .*;\s+{not_null}", script)
    # A table that is written anew gets another file.
    file = "SELECT pg_relation_filenode('users')"
    before = project.sql(file)
    ok(project.alembic("upgrade", "head"))
    assert project.sql(file) == before


def test_what_the_rows_break_is_not_left_behind(in_use: Project) -> None:
    project = in_use
    before = shape(project)
    project.sql("INSERT INTO orders VALUES (2, NULL), (3, gen_random_uuid())")
    for operation in (
        'op.create_unique_constraint_online("uq_users_name", "users", ["name"])',
        'op.create_check_constraint_online("short", "users", "length(name) > 2")',
        FOREIGN,
        NOT_NULL,
    ):
        add_revision(project, operation)
        path = project.revisions()[-1]
        line = refusal(project.alembic("upgrade", "head"))
        assert re.search(
            r"_step\d+\.py:13: .*; steps that were done stay, and the next attempt goes on", line
        )
        assert shape(project) == before
        path.unlink()


def test_no_lock_timeout_strikes_while_an_index_waits_and_it_is_back_afterwards(in_use: Project) -> None:
    project = in_use
    back = 'assert op.get_bind().scalar(sa.text("SHOW lock_timeout")) == "150ms"'
    add_revision(project, ALEMBICS, back, downgrade='op.drop_index_online("ix_users_name", "users")')
    project.write(".env", f"DATABASE_URL={project.url}\nMIGRATION_LOCK_TIMEOUT=0.15\n")
    with transaction(project, "UPDATE users SET name = name WHERE name = 'N1'", 4):
        printed = ok(project.alembic("upgrade", "head"))
    assert re.search(r"the migration waits for process \d+ \(", printed)
    assert "rolled back" not in printed  # nor was it tried again
    assert ("ix_users_name", "CREATE INDEX ix_users_name ON public.users USING btree (name)", "") in shape(
        project
    )
    with transaction(project, "SELECT count(*) FROM users", 4):
        assert "rolled back" not in ok(project.alembic("downgrade", "-1"))
    assert "ix_users_name" not in str(shape(project))


def test_alembics_own_way_of_asking_for_it_is_the_same(in_use: Project) -> None:
    project = in_use
    block = "with op.get_context().autocommit_block():\n        "
    drop = 'op.drop_index("ix_users_name", table_name="users", postgresql_concurrently=True)'
    add_revision(project, f"{block}{ALEMBICS}", downgrade=f"{block}{drop}")
    invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_users_name'::regclass"
    project.sql("CREATE INDEX ix_users_name ON users (email)")
    project.sql(invalid)
    said = ok(project.alembic("upgrade", "head"))
    assert "index ix_users_name: an interrupted attempt left it invalid; dropped" in said
    assert "INVALID" not in str(shape(project))
    project.sql("DROP INDEX ix_users_name")
    ok(project.alembic("downgrade", "-1"))


ODD = """op.create_index_online("Ix 1", "Or der", ["select"], schema="Sh op",
    postgresql_where=sa.text("a > 1"))
op.create_unique_constraint_online("Uq 1", "Or der", ["select", "a"], schema="Sh op")
op.create_check_constraint_online("Ck 1", "Or der", "a::text <> 'a:b %'", schema="Sh op")
op.create_foreign_key_online("Fk 1", "Or der", "Or der", ["a"], ["select"],
    source_schema="Sh op", referent_schema="Sh op")
op.set_not_null_online("Or der", "a", schema="Sh op")
op.add_column_online("Or der", sa.Column("To ken", sa.Uuid(), server_default=sa.text("gen_random_uuid()"),
    comment="it's 1%", nullable=False), schema="Sh op", key="select")
op.add_column_online("Or der", sa.Column("country", sa.String(2), server_default="DE", nullable=False),
    schema="Sh op")
op.backfill("Or der", "a = 3", where="a::text = '2:b' OR a % 2 = 0", schema="Sh op", key="select")"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('sa.Integer(), sa.CheckConstraint("token > 0", name="positive")', "by operations of their own"),
        ('sa.Integer(), sa.ForeignKey("users.id")', "by operations of their own"),
        ('sa.Integer(), sa.Computed("1 + 1")', "cannot be done online"),
        ('sa.Enum("a", name="a", native_enum=False, create_constraint=True)', "by operations of their own"),
        (
            'type("G", (sa.types.UserDefinedType,), {"get_col_spec": lambda self: "given"})()',
            "a column of a domain is added by a table rewrite",
        ),
    ],
    ids=["check", "foreign key", "computed", "check of the type", "domain"],
)
def test_a_column_with_more_than_a_default_is_refused(in_use: Project, more: str, said: str) -> None:
    in_use.sql("CREATE DOMAIN given AS text CHECK (VALUE <> '')")
    before = shape(in_use)
    add_revision(in_use, f'op.add_column_online("orders", sa.Column("token", {more}))')
    assert said in refusal(in_use.alembic("upgrade", "head"))
    assert shape(in_use) == before


def test_names_may_need_quotes_and_a_schema(in_use: Project, postgres_server: PostgresServer) -> None:
    project, name = in_use, in_use.url.rpartition("/")[2]
    postgres_server.sql(
        'CREATE SCHEMA "Sh op"; CREATE TABLE "Sh op"."Or der" ("select" int PRIMARY KEY, a int);'
        'INSERT INTO "Sh op"."Or der" VALUES (2, 2), (3, 3)',
        name,
    )
    add_revision(project, ODD, downgrade='op.drop_index_online("Ix 1", schema="Sh op")')
    ok(project.alembic("upgrade", "head"))
    postgres_server.sql(f"UPDATE alembic_version SET version_num = '{INITIAL}'", name)
    said = ok(project.alembic("upgrade", "head"))
    assert "index Ix 1: exists already, with this definition; kept" in said
    assert "constraint Uq 1: exists already, with this definition; kept" in said
    rows = project.sql('SELECT a, country, count(DISTINCT "To ken") FROM "Sh op"."Or der" GROUP BY 1, 2')
    assert rows == [(3, "DE", 2)]
    ok(project.alembic("downgrade", "-1"))
    assert project.sql("SELECT count(*) FROM pg_class WHERE relname = 'Ix 1'") == [(0,)]


ALL = [INDEX, UNIQUE, CHECK, FOREIGN, NOT_NULL, TOKEN, BACKFILL]


def test_the_sql_for_somebody_else_to_run_does_the_same(
    in_use: Project, postgres_server: PostgresServer
) -> None:
    project = in_use
    lines = """op.backfill("users", "email = id || '$1 off\\n  two lines'", where="email LIKE '%@%'")"""
    drop = 'op.drop_index_online("ix_users_is_active_created_at", "users")'
    add_revision(project, *ALL, lines, drop)
    script = project.alembic("upgrade", f"{INITIAL}:head", "--sql")
    assert script.returncode == 0, script.stderr
    here = Project(project.path, project.url)
    project.url = postgres_server.create_database()
    project.write(".env", f"DATABASE_URL={project.url}\n")
    at_first(project)
    postgres_server.sql(script.stdout, project.url.rpartition("/")[2])
    by_hand = shape(project)
    assert project.sql("SELECT count(*) FROM users WHERE name = 'filled' AND token IS NOT NULL") == [(5000,)]
    assert project.sql("SELECT email = id || E'$1 off\\n  two lines' FROM users LIMIT 1") == [(True,)]
    ok(project.alembic("current", "--check-heads"))
    here.write(".env", f"DATABASE_URL={here.url}\n")
    ok(here.alembic("upgrade", "head"))
    assert shape(here) == by_hand
    assert here.sql("SELECT count(DISTINCT token) FROM users WHERE name = 'filled'") == [(5000,)]


def test_on_sqlite_they_are_ordinary_operations_in_the_one_transaction(sqlite_project: Project) -> None:
    project = at_first(sqlite_project)
    all_of_them = [text.replace("gen_random_uuid()", "(lower(hex(randomblob(16))))") for text in ALL]
    drop = 'op.drop_index_online("ix_users_is_active_created_at", "users")'
    schema = "SELECT name, sql FROM sqlite_master ORDER BY name"
    before = project.sql(schema)
    add_revision(project, *all_of_them, drop, 'op.create_index_online("late", "users", ["nothing"])')
    path = project.revisions()[-1]
    assert "nothing was changed" in refusal(project.alembic("upgrade", "head"))
    assert project.sql(schema) == before

    path.unlink()
    add_revision(project, *all_of_them, drop)
    ok(project.alembic("upgrade", "head"))
    after = str(project.sql(schema))
    for found in ("ix_users_name", "uq_users_id_name", "ck_users_named", "fk_orders", "user_id char(32) NOT"):
        assert found in after
    assert "ix_users_is_active_created_at" not in after
    filled = "SELECT count(DISTINCT token) FROM users WHERE name = 'filled'"
    assert project.sql(filled) == [(99,)]
