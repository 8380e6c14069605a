"""A database in use, with users and orders, and operations that change its tables."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from support.projects import INITIAL, Project, ok
from support.servers import bindir

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
    project.sql(ORDERS.replace("uuid", "uuid" if project.dialect == "postgresql" else "char(32)"))
    project.sql("INSERT INTO orders SELECT 1, id FROM users LIMIT 1")
    return project


def shape(project: Project) -> list[tuple[object, ...]]:
    """Indexes, constraints and columns, with all that the catalogues say of them."""
    return project.sql(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid),"
        " CASE WHEN indisvalid THEN '' ELSE 'INVALID' END"
        " FROM pg_index WHERE indrelid IN ('users'::regclass, 'orders'::regclass)"
        " UNION ALL SELECT conname, pg_get_constraintdef(oid), ''"
        # PostgreSQL 18 has NOT NULL among them, which the columns show.
        " FROM pg_constraint WHERE contype <> 'n' AND conrelid IN ('users'::regclass, 'orders'::regclass)"
        " UNION ALL SELECT attname, format_type(atttypid, atttypmod),"
        "   attnotnull::text || coalesce(pg_get_expr(adbin, adrelid), '')"
        " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        " WHERE attrelid IN ('users'::regclass, 'orders'::regclass) AND attnum > 0"
        " AND NOT attisdropped ORDER BY 1, 2"
    )


@contextmanager
def transaction(project: Project, statement: str, seconds: float) -> Iterator[None]:
    """Somebody else's, which has run a statement and ends after a while."""
    asleep = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    script = f"BEGIN; {statement}; SELECT pg_sleep({seconds}); COMMIT"
    programs = bindir()
    assert programs is not None
    with subprocess.Popen(
        [programs / "psql", "-q", "-c", script, project.url], stdout=subprocess.PIPE
    ) as other:
        until(project, asleep)
        yield
    assert other.returncode == 0


def until(project: Project, question: str) -> None:
    """Wait until the answer is true."""
    deadline = time.monotonic() + 60
    while not project.sql(question)[0][0]:
        assert time.monotonic() < deadline, question
        time.sleep(0.02)
