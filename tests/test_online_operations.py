"""The operations that change a PostgreSQL table in use, with real migrations of a real database."""

from pathlib import Path

import pytest

from projects import Project, ok
from servers import PostgresServer

pytestmark = pytest.mark.slow
INITIAL = "5f3a9c1e7b24"
ROWS = """
    INSERT INTO users (id, email, name)
    SELECT gen_random_uuid(), i || '@example.com', 'N' || i % 7 FROM generate_series(1, 5000) i
"""
ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, user_id uuid)"

INDEX = 'op.create_index_online("ix_users_name", "users", ["name"])'
ALEMBICS = 'op.create_index("ix_users_name", "users", ["name"], postgresql_concurrently=True)'
UNIQUE = 'op.create_unique_constraint_online("uq_users_id_name", "users", ["id", "name"])'
CHECK = 'op.create_check_constraint_online("named", "users", "name IN (\'a\') OR length(name) > 1")'
FOREIGN = (
    'op.create_foreign_key_online("fk_orders", "orders", "users", ["user_id"], ["id"], ondelete="CASCADE")'
)
NOT_NULL = 'op.set_not_null_online("orders", "user_id")'
TOKEN = (
    'op.add_column_online("users", sa.Column("token", sa.Uuid(), nullable=False,'
    ' server_default=sa.text("gen_random_uuid()")))'
)
BACKFILL = 'op.backfill("users", "name = \'filled\'", where="name <> \'filled\'", batch=1000)'


def revise(project: Project, *upgrade: str, downgrade: str = "pass") -> Path:
    """A revision on top of those there are."""
    number = len(project.revisions()) + 1
    before = f"{number - 1:012}" if number > 1 else INITIAL
    lines = "\n    ".join(upgrade)
    return project.write(
        f"alembic/versions/20270101_{number:04}_step.py",
        f'"""step"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        f'revision: str = "{number:012}"\ndown_revision: str | None = "{before}"\n\n\n'
        f"def upgrade() -> None:\n    {lines}\n\n\ndef downgrade() -> None:\n    {downgrade}\n",
    )


def at_first(project: Project) -> Project:
    """The project's database with users, and orders without a reference to them."""
    ok(project.alembic("upgrade", INITIAL))
    if project.dialect == "postgresql":
        project.sql(ROWS)
    else:
        project.sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO users"
            " (id, email, name) SELECT lower(hex(randomblob(16))), i || '@example.com', 'N' || i FROM n"
        )
    project.sql(ORDERS)
    project.sql("INSERT INTO orders SELECT 1, id FROM users LIMIT 1")
    return project


@pytest.fixture
def postgresql(postgresql_project: Project) -> Project:
    """See `at_first`."""
    return at_first(postgresql_project)


def shape(project: Project) -> list[tuple[object, ...]]:
    """Indexes, constraints and columns, with all that the catalogues say of them."""
    return project.sql(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid),"
        " CASE WHEN indisvalid THEN '' ELSE 'INVALID' END"
        " FROM pg_index WHERE indrelid IN ('users'::regclass, 'orders'::regclass)"
        " UNION ALL SELECT conname, pg_get_constraintdef(oid), ''"
        " FROM pg_constraint WHERE conrelid IN ('users'::regclass, 'orders'::regclass)"
        " UNION ALL SELECT attname, format_type(atttypid, atttypmod),"
        "   attnotnull::text || coalesce(pg_get_expr(adbin, adrelid), '')"
        " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        " WHERE attrelid IN ('users'::regclass, 'orders'::regclass) AND attnum > 0"
        " AND NOT attisdropped ORDER BY 1, 2"
    )


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
    ALTER TABLE users DROP CONSTRAINT IF EXISTS uq_users_id_name;
    ALTER TABLE users DROP CONSTRAINT IF EXISTS ck_users_named;
    ALTER TABLE orders DROP CONSTRAINT IF EXISTS fk_orders;
    ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL;
"""
CREATED = {INDEX: 1, UNIQUE: 2, CHECK: 1, FOREIGN: 1, NOT_NULL: 0, TOKEN: 1}


@pytest.mark.parametrize("operation", LEFT, ids=lambda text: text.partition("(")[0][3:])
def test_an_operation_goes_on_wherever_it_was_killed(
    operation: str, postgresql: Project, postgres_server: PostgresServer
) -> None:
    project, name = postgresql, postgresql.url.rpartition("/")[2]
    before = shape(project)
    revise(project, operation)
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
