"""`leave_alone` in alembic.ini: what others keep there is neither drift nor proposed for dropping."""

import pytest

from support.database_state import add_revision
from support.projects import Project, ok, refusal

MODEL = '''
"""One in a schema of its own, so that all of the models' schemas are compared."""

import enum

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Note(Base):
    """A note."""

    __tablename__ = "notes"
    __table_args__ = {"schema": "office"}

    id: Mapped[int] = mapped_column(primary_key=True)
'''
NOTES = "CREATE SCHEMA office; CREATE TABLE office.notes (id SERIAL, CONSTRAINT pk_notes PRIMARY KEY (id))"
# What is named so, and what makes it. {0} is its name.
POSTGRESQL = {
    "tables": "CREATE TABLE {0} (id integer PRIMARY KEY, n integer CHECK (n > 0)); CREATE INDEX z ON {0} (n)",
    "in a schema": "CREATE TABLE office.{0} (id integer PRIMARY KEY); CREATE INDEX z ON office.{0} (id)",
    "partitions": "CREATE TABLE {0} (n integer) PARTITION BY RANGE (n); "
    "CREATE TABLE p PARTITION OF {0} FOR VALUES FROM (1) TO (5) PARTITION BY RANGE (n); "
    "CREATE TABLE q PARTITION OF p FOR VALUES FROM (1) TO (2)",
    "types": "CREATE TYPE {0} AS ENUM ('a', 'b')",
    "domains": "CREATE DOMAIN {0} AS integer CONSTRAINT positive CHECK (VALUE > 0)",
    "sequences": "CREATE SEQUENCE {0}",
    "views": "CREATE VIEW {0} AS SELECT 1 AS n",
    "materialized views": "CREATE MATERIALIZED VIEW {0} AS SELECT 1 AS n; CREATE INDEX z ON {0} (n)",
    "functions": "CREATE FUNCTION {0}(n integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "schemas": "CREATE SCHEMA {0}; CREATE TABLE {0}.t (id SERIAL, CONSTRAINT k CHECK (id > 0)); "
    "CREATE TYPE {0}.mood AS ENUM ('a'); CREATE VIEW {0}.v AS SELECT 1",
    "indexes": "CREATE INDEX {0} ON users (created_at)",
    "unique constraints": "ALTER TABLE users ADD CONSTRAINT {0} UNIQUE (email, id)",
    "foreign keys": "ALTER TABLE users ADD CONSTRAINT {0} FOREIGN KEY (id) REFERENCES users (id)",
    "checks": "ALTER TABLE users ADD CONSTRAINT {0} CHECK (email <> '')",
    "policies": "CREATE POLICY {0} ON users USING (true)",
    "statistics": "CREATE STATISTICS {0} ON id, email FROM users",
}
SQLITE = {
    "tables": "CREATE TABLE {0} (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0)); CREATE INDEX z ON {0} (n)",
    "views": "CREATE VIEW {0} AS SELECT 1 AS n",
    "indexes": "CREATE INDEX {0} ON users (created_at)",
    "triggers": "CREATE TRIGGER {0} AFTER INSERT ON users BEGIN SELECT 1; END",
}


def statements(script: str) -> list[str]:
    return [script] if "BEGIN" in script else script.split("; ")


def objects(dialect: str) -> list[str]:
    kinds = POSTGRESQL if dialect == "postgresql" else SQLITE
    return [
        statement.format(f"dba_{number}").replace(" z ", f" dba_z{number} ")
        for number, script in enumerate(kinds.values())
        for statement in statements(script)
    ]


def name_them(project: Project) -> None:
    project.edit("alembic.ini", "leave_alone =", "leave_alone = dba_*")


def with_schema(project: Project) -> None:
    """Let the models have a second schema, where there is one."""
    if project.dialect == "postgresql":
        project.write("app/models/note.py", MODEL)
        add_revision(project, *(f'op.execute("{each}")' for each in NOTES.split("; ")))


def test_none_of_it_is_drift(project: Project) -> None:
    with_schema(project)
    ok(project.make("migrate"))
    for statement in objects(project.dialect):
        project.script(statement)
    assert "drift: " in refusal(project.make("migration-check"))
    name_them(project)
    ok(project.make("migration-check"))


@pytest.mark.parametrize("schemas", ["of the models", "all"])
def test_none_of_it_is_proposed_for_dropping(project: Project, schemas: str) -> None:
    if schemas == "all":
        project.edit(
            "alembic/env.py", "environment.run(metadata, ", "environment.run(metadata, include_schemas=True, "
        )
    with_schema(project)
    # Alembic does not say of which table another one is a partition: those have names, too.
    named = [each.replace(" p ", " dba_p ").replace(" q ", " dba_q ") for each in objects(project.dialect)]
    add_revision(project, *(f'op.execute("""{each}""")' for each in named))
    name_them(project)
    said = ok(project.make("migration", "MSG=nothing"))
    assert "No changes" in said, said


def test_columns_and_their_sequences_are_named_with_their_table(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.make("migrate"))
    project.sql("ALTER TABLE users ADD COLUMN nick serial")
    project.sql("CREATE TABLE nick (users integer)")
    assert "drift: 2 objects differ" in refusal(project.make("migration-check"))
    project.edit("alembic.ini", "leave_alone =", "leave_alone = users.nick")
    assert "drift: 1 object differs" in refusal(project.make("migration-check"))
    project.edit("alembic.ini", "users.nick", "public.users.nick nick")
    ok(project.make("migration-check"))
