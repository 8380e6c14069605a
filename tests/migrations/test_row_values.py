"""No value of a row gets into the line of a failure, into the history, or into an application's log."""

import json
from typing import Any

import pytest

from support.database_state import failures, write_revision
from support.projects import Project, ok

pytestmark = pytest.mark.slow
SECRET = "x@private.example"  # the e-mail address of the only row, and her name
ROW = f"INSERT INTO users (id, email, name) VALUES ('{1:032x}', '{SECRET}', '{SECRET}')"

# What a revision does, and what is said of it: on both databases, or on one of them.
BOTH: dict[str, tuple[str, str]] = {
    "unique": (
        "op.execute(\"INSERT INTO users (id, email, name) SELECT '{key}', email, name FROM users\")",
        "",
    ),
    "not_null": ('op.execute("UPDATE users SET name = NULL")', "name"),
    "unfit": (
        'users = sa.table("users", sa.column("name", sa.Enum("a", name="kind")))\n'
        "op.get_bind().execute(sa.select(users.c.name)).all()",
        "LookupError in op.get_bind().execute(sa.select(users.c.name)).all()",
    ),
    "python": (
        'names = op.get_bind().execute(sa.text("SELECT name FROM users")).scalars()\nint(next(names))',
        "ValueError in int(next(names))",
    ),
    "composed": (
        'name = op.get_bind().execute(sa.text("SELECT name FROM users")).scalar()\n'
        'raise ValueError(f"{name} is wrong")',
        "is wrong",
    ),
    "another_driver": (
        "class UniqueViolation(Exception):\n    sqlstate = '23505'\n"
        'raise UniqueViolation(op.get_bind().execute(sa.text("SELECT name FROM users")).scalar())',
        "UniqueViolation in raise UniqueViolation(",
    ),
    "constant": (
        'raise ValueError("not before the first of May")',
        "ValueError: not before the first of May",
    ),
}
RAISED = "DO $$ BEGIN RAISE EXCEPTION '{text}'{values}; END $$"
POSTGRESQL = {
    "unique": (BOTH["unique"][0], 'violates unique constraint "uq_users_email"; this'),
    "not_null": (BOTH["not_null"][0], 'null value in column "name" of relation "users"'),
    "check": (
        'op.create_check_constraint("short", "users", "length(name) < 5")',
        'check constraint "ck_users_short" of relation "users"',
    ),
    "type": (
        'op.execute("ALTER TABLE users ALTER COLUMN name TYPE integer USING name::integer")',
        "invalid text representation error (22P02; the server's log has the value)",
    ),
    "json": ('op.execute("SELECT name::json FROM users")', "22P02"),
    "time": ('op.execute("SELECT name::timestamptz FROM users")', "invalid datetime format error (22007"),
    "tsquery": ("op.execute(\"SELECT to_tsquery(name || ' & &') FROM users\")", "syntax error (42601"),
    "long": ('op.execute("ALTER TABLE users ALTER COLUMN name TYPE varchar(3)")', "character varying(3)"),
    "parameter": (
        'name = op.get_bind().execute(sa.text("SELECT name FROM users")).scalar()\n'
        'op.get_bind().execute(sa.text("SELECT CAST(:name AS integer)"), {"name": name})',
        "invalid input for query argument $1; this",
    ),
    "driver": (
        "adapted = op.get_bind().connection.dbapi_connection\n"
        'adapted.run_async(lambda it: it.execute("INSERT INTO users (id, email, name) '
        'SELECT gen_random_uuid(), email, name FROM users"))',
        'unique constraint "uq_users_email"; this',
    ),
    "raise": (
        f'op.execute("{RAISED.format(text="% is wrong", values=", (SELECT name FROM users)")}")',
        "% is wrong; this",
    ),
    "raise_constant": (
        f'op.execute("{RAISED.format(text="it is too early", values="")}")',
        "it is too early",
    ),
    "dynamic": (
        "op.execute(\"DO $$ BEGIN EXECUTE 'SELEC ' || (SELECT name FROM users); END $$\")",
        "syntax error (42601",
    ),
    "trigger": (
        'op.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS '
        "$$ BEGIN RAISE unique_violation USING MESSAGE = NEW.name, CONSTRAINT = 'ours'; END $$\")\n"
        'op.execute("CREATE TRIGGER it BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION refuse()")\n'
        'op.execute("UPDATE users SET name = name")',
        "23505, constraint ours, PL/pgSQL function refuse() line 1 at RAISE",
    ),
    # What is about the schema is said in full.
    "dependents": (
        'op.execute("CREATE VIEW names AS SELECT name FROM users")\nop.drop_table("users")',
        "DETAIL: view names depends on table users HINT: Use DROP ... CASCADE",
    ),
    "backfill": (
        'op.backfill("users", "name = name", where="name <> \'\'")',
        "a row still fulfils the condition although it was filled: name <> ''; its batch was undone",
    ),
}
SQLITE = {
    "unique": (BOTH["unique"][0], "UNIQUE constraint failed: users.email"),
    "trigger": (
        "op.execute(\"CREATE TRIGGER it BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'no'); END\")\n"
        'op.execute("UPDATE users SET name = name")',
        "a trigger refuses it by RAISE()",
    ),
    "undecodable": (
        "op.get_bind().execute(sa.text(\"SELECT CAST(x'ff' || name AS TEXT) FROM users\")).all()",
        "a text in the database is no UTF-8",
    ),
}
# What applications log of an error: the traceback with all its causes.
LOG = """
import asyncio, sys, traceback
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from dbkit.connection import app_database, create_engine
from dbkit.startup import migrate_if_needed

async def main():
    engine = create_engine(app_database())
    for statement in sys.argv[1:]:
        try:
            async with engine.begin() as connection:
                name = (await connection.execute(text("SELECT name FROM users"))).scalar()
                values = {"name": name} if ":name" in statement else {}
                (await connection.execute(text(statement), values)).all()
        except DBAPIError:
            traceback.print_exc()
    await engine.dispose()
    try:
        await migrate_if_needed()
    except Exception:
        traceback.print_exc()

asyncio.run(main())
"""


def test_neither_the_line_of_a_failure_nor_the_history_shows_a_row(project: Project) -> None:
    cases = BOTH | (POSTGRESQL if project.dialect == "postgresql" else SQLITE)
    ok(project.alembic("upgrade", "head"))
    project.sql(ROW)
    upgrades = {name: upgrade.replace("{key}", f"{2:032x}") for name, (upgrade, _) in cases.items()}
    lines = failures(project, upgrades)
    wrong = {name: lines.get(name) for name, (_, said) in cases.items() if said not in lines.get(name, "")}
    assert not wrong
    assert not [line for line in lines.values() if SECRET in line]
    told: list[dict[str, Any]] = json.loads(ok(project.make("migration-log", "JSON=1")))
    assert [row["outcome"] for row in told] == ["done"] + ["failed"] * len(cases)
    assert [row["error"] for row in told[1:]] == [lines[name] for name in cases]
    assert SECRET not in ok(project.make("migration-log"))


def test_what_applications_log_of_an_error_shows_no_row(project: Project) -> None:
    ok(project.alembic("upgrade", "head"))
    project.sql(ROW)
    statements = [
        f"INSERT INTO users (id, email, name) SELECT '{2:032x}', email, name FROM users",
        "UPDATE users SET name = NULL",
    ]
    if project.dialect == "postgresql":
        statements += ["SELECT name::uuid FROM users", "SELECT CAST(:name AS uuid)"]
        write_revision(project, "late", POSTGRESQL["raise"][0])
    else:
        statements += ["SELECT CAST(x'ff' || name AS TEXT) FROM users"]
        write_revision(project, "late", *BOTH["python"][0].splitlines())
    printed = ok(project.python("-c", LOG, *statements))
    assert printed.count("Traceback") >= len(statements) + 1
    assert "_late.py:" in printed
    assert SECRET not in printed
