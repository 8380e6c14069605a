"""Online operations that find something there: left by an attempt before, or made by somebody else."""

import pytest

from support.database_state import add_revision
from support.online_fixtures import CHECK, FOREIGN, INDEX, NOT_NULL, TOKEN, UNIQUE, shape
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer

pytestmark = pytest.mark.slow

# What an attempt that was killed may have left behind, statement by statement.
LEFT = {
    INDEX: [
        "CREATE INDEX ix_users_name ON users (name)",
        "CREATE INDEX ix_users_name ON users (name);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_users_name'::regclass",
    ],
    UNIQUE: [
        "CREATE UNIQUE INDEX uq_users_id_name ON users (id, name)",
        "CREATE UNIQUE INDEX uq_users_id_name ON users (id, name);"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_users_id_name'::regclass",
        "ALTER TABLE users ADD CONSTRAINT uq_users_id_name UNIQUE (id, name)",
    ],
    CHECK: [
        "ALTER TABLE users ADD CONSTRAINT ck_users_named CHECK (name IN ('a') OR length(name) > 1) NOT VALID",
        "ALTER TABLE users ADD CONSTRAINT ck_users_named CHECK (name IN ('a') OR length(name) > 1)",
    ],
    FOREIGN: [
        "ALTER TABLE orders ADD CONSTRAINT fk_orders FOREIGN KEY (user_id) REFERENCES users"
        " ON DELETE CASCADE NOT VALID",
        "ALTER TABLE orders ADD CONSTRAINT fk_orders FOREIGN KEY (user_id) REFERENCES users"
        " ON DELETE CASCADE",
    ],
    NOT_NULL: [
        "ALTER TABLE orders ADD CONSTRAINT not_null_user_id CHECK (user_id IS NOT NULL) NOT VALID",
        "ALTER TABLE orders ADD CONSTRAINT not_null_user_id CHECK (user_id IS NOT NULL)",
        "ALTER TABLE orders ADD CONSTRAINT not_null_user_id CHECK (user_id IS NOT NULL);"
        "ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL",
        "ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL",
    ],
    TOKEN: [
        "ALTER TABLE users ADD COLUMN token uuid",
        "ALTER TABLE users ADD COLUMN token uuid;"
        " ALTER TABLE users ALTER token SET DEFAULT gen_random_uuid();"
        "UPDATE users SET token = gen_random_uuid() WHERE name = 'N1'",
        "ALTER TABLE users ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()",
    ],
}
UNDO = f"""
    UPDATE alembic_version SET version_num = '{INITIAL}';
    DROP INDEX IF EXISTS ix_users_name;
    ALTER TABLE users DROP COLUMN IF EXISTS token;
    ALTER TABLE users DROP COLUMN IF EXISTS country;
    ALTER TABLE users DROP CONSTRAINT IF EXISTS uq_users_id_name;
    ALTER TABLE users DROP CONSTRAINT IF EXISTS ck_users_named;
    ALTER TABLE orders DROP CONSTRAINT IF EXISTS fk_orders;
    ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL;
"""
COUNTRY = (
    'op.add_column_online("users", sa.Column("country", sa.Text(), server_default="DE", nullable=False))'
)
CREATED = {INDEX: 1, UNIQUE: 2, CHECK: 1, FOREIGN: 1, NOT_NULL: 0, TOKEN: 1}


@pytest.mark.parametrize("operation", LEFT, ids=lambda text: text.partition("(")[0][3:])
def test_an_operation_goes_on_wherever_it_was_killed(
    operation: str, in_use: Project, postgres_server: PostgresServer
) -> None:
    project, name = in_use, in_use.url.rpartition("/")[2]
    before = shape(project)
    add_revision(project, operation)
    ok(project.make("migrate"))
    done = shape(project)
    assert done != before
    assert "INVALID" not in str(done)
    assert "NOT VALID" not in str(done)
    assert len(done) == len(before) + CREATED[operation]
    for left in LEFT[operation]:
        postgres_server.sql(UNDO + left, name)
        assert project.version() == [INITIAL]
        ok(project.make("migrate"))
        assert shape(project) == done, left


OTHERS = {
    INDEX: "CREATE INDEX ix_users_name ON users (email)",
    UNIQUE: "ALTER TABLE users ADD CONSTRAINT uq_users_id_name UNIQUE (name, id)",
    CHECK: "ALTER TABLE users ADD CONSTRAINT ck_users_named CHECK (length(name) > 0) NOT VALID",
    FOREIGN: "ALTER TABLE orders ADD CONSTRAINT fk_orders FOREIGN KEY (user_id) REFERENCES users",
    TOKEN: "ALTER TABLE users ADD COLUMN token text",
    COUNTRY: "ALTER TABLE users ADD COLUMN country text",
    COUNTRY.replace("False", "True"): "ALTER TABLE users ADD COLUMN country text DEFAULT 'FR'",
}


def test_what_exists_under_the_name_and_is_another_is_refused(
    in_use: Project, postgres_server: PostgresServer
) -> None:
    project = in_use
    for operation, other in OTHERS.items():
        postgres_server.sql(UNDO + other, project.url.rpartition("/")[2])
        before = shape(project)
        add_revision(project, operation)
        path = project.revisions()[-1]
        assert "exists with another definition" in refusal(project.alembic("upgrade", "head"))
        assert shape(project) == before
        path.unlink()


def test_an_operation_that_was_finished_finds_what_it_made(in_use: Project) -> None:
    project = in_use
    mood = 'op.add_column_online("users", sa.Column("{}", sa.Enum("up", name="mood"), server_default="up"))'
    project.sql("CREATE TYPE mood AS ENUM ('up')")
    add_revision(
        project,
        COUNTRY,
        mood.format("mood"),
        mood.format("other").replace('"up"))', "sa.text(\"'up'::mood\")))"),
        'op.create_check_constraint_online("given", "users", "users.name <> \'\'")',
        'op.create_index_online("ix_given", "users", [sa.text("lower(users.name)")])',
        FOREIGN.replace("CASCADE", "SET NULL (user_id)"),
    )
    ok(project.alembic("upgrade", "head"))
    done = shape(project)
    project.sql(f"UPDATE alembic_version SET version_num = '{INITIAL}'")
    ok(project.alembic("upgrade", "head"))
    assert shape(project) == done


def test_what_somebody_else_made_under_such_a_name_stays(
    in_use: Project, postgres_server: PostgresServer
) -> None:
    project, name = in_use, in_use.url.rpartition("/")[2]
    postgres_server.sql(
        "ALTER TABLE users ADD CONSTRAINT not_null_name CHECK (name <> '');"
        "CREATE SCHEMA other; CREATE TABLE other.t (name text); CREATE INDEX ix_dup ON other.t (name);"
        f'ALTER DATABASE "{name}" SET search_path = other, public',
        name,
    )
    add_revision(project, 'op.set_not_null_online("users", "name")')
    add_revision(project, 'op.create_index_online("ix_dup", "users", ["name"], unique=True)')
    assert "could not create unique index" in refusal(project.alembic("upgrade", "head"))
    assert project.sql("SELECT count(*) FROM pg_constraint WHERE conname = 'not_null_name'") == [(1,)]
    where = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'ix_dup'"
    assert project.sql(where) == [("other",)]


LONG = "n" * 60


def test_what_was_made_is_found_again_by_the_name_that_the_database_has(in_use: Project) -> None:
    project = in_use
    columns = ", ".join(
        f'"{name}"' for name in ("is_active", "created_at", "updated_at", "name", "email", "id")
    )
    add_revision(
        project,
        f'op.create_check_constraint_online("{LONG}", "users", "name <> \'\'")',
        f'op.create_check_constraint_online(op.f("Ck {LONG[:58]}"), "users", "name <> \'\'")',
        f'op.create_index_online(None, "users", [{columns}])',
        f'op.create_unique_constraint_online(None, "users", [{columns}])',
        'op.create_unique_constraint_online(op.f(\'U"q. 1\'), "users", ["id", "email"])',
        'op.create_foreign_key_online(None, "orders", "users", ["user_id"], ["id"])',
        # The server cuts at 63 bytes, and SQLAlchemy at 63 characters.
        f'op.create_check_constraint_online(op.f("{"ü" * 40}"), "users", "name <> \'\'")',
        f'op.create_index_online(op.f("{"ö" * 40}"), "users", ["name"])',
        f'op.create_unique_constraint_online(op.f("{"ä" * 40}"), "users", ["id", "name"])',
    )
    ok(project.alembic("upgrade", "head"))
    done = shape(project)
    names = {str(row[0]) for row in done}
    assert {f"Ck {LONG[:58]}", 'U"q. 1', "fk_orders_user_id_users"} < names
    shortened = {
        name for name in names if name.startswith(("ck_users_nnn", "ix_users_is_active_c", "uq_users_is"))
    }
    assert max(map(len, shortened)) == 63 - 8 + 5  # cut by SQLAlchemy, which adds a hash
    project.sql(f"UPDATE alembic_version SET version_num = '{INITIAL}'")
    said = ok(project.alembic("upgrade", "head"))
    assert said.count("exists already, with this definition; kept") == 5
    assert shape(project) == done
