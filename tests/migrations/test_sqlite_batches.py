"""SQLite, where a table is altered by copying it: a run is one transaction and loses no row."""

import re

import pytest

from support.database_state import dump, history, write_revision
from support.projects import Project, ok, refusal

pytestmark = pytest.mark.slow

FAMILY = """\
op.create_table("parents", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(10)))
for name, rule in (("cascading", "CASCADE"), ("orphans", "SET NULL")):
    op.create_table(
        name,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("parents.id", ondelete=rule)),
    )
"""
CHILDREN = ("cascading", "orphans")
LONGER = """\
with op.batch_alter_table("parents") as batch:
    batch.alter_column("name", existing_type=sa.String(10), type_=sa.String(20))
    batch.add_column(sa.Column("age", sa.Integer))
"""


@pytest.fixture
def family(sqlite_project: Project) -> Project:
    """Parents, and children of each kind that refer to them."""
    write_revision(sqlite_project, "family", FAMILY)
    ok(sqlite_project.alembic("upgrade", "head"))
    sqlite_project.sql("INSERT INTO parents (id, name) VALUES (1, 'p'), (2, 'q')")
    for table in CHILDREN:
        sqlite_project.sql(f"INSERT INTO {table} (id, parent_id) VALUES (1, 1), (2, 1), (3, 2)")
    return sqlite_project


def test_a_batch_change_of_a_parent_table_loses_and_changes_no_child_row(family: Project) -> None:
    write_revision(
        family,
        "longer",
        LONGER,
        after="family",
        downgrade='with op.batch_alter_table("parents") as batch:\n        batch.drop_column("age")',
    )
    for command in (("upgrade", "head"), ("downgrade", "-1"), ("upgrade", "head")):
        ok(family.alembic(*command))
        for table in CHILDREN:
            assert family.sql(f"SELECT id, parent_id FROM {table} ORDER BY id") == [(1, 1), (2, 1), (3, 2)]
    assert family.sql("SELECT id, name FROM parents ORDER BY id") == [(1, "p"), (2, "q")]
    assert "VARCHAR(20)" in dump(family)
    # The references lead to the copy, not to the table that is gone.
    assert {row[2] for table in CHILDREN for row in family.sql(f"PRAGMA foreign_key_list({table})")} == {
        "parents"
    }


@pytest.mark.parametrize("table", CHILDREN)
def test_a_run_that_leaves_a_child_without_its_parent_is_refused_and_changes_nothing(
    family: Project, table: str
) -> None:
    for other in set(CHILDREN) - {table}:
        family.sql(f"DELETE FROM {other}")
    before = dump(family)
    write_revision(family, "first", LONGER, after="family")
    write_revision(family, "bad", 'op.execute("DELETE FROM parents WHERE id = 2")', after="first")
    line = refusal(family.alembic("upgrade", "head"))
    assert f"a row of {table} refers to a row that parents does not have" in line
    assert "nothing was changed" in line
    assert dump(family) == before
    assert [row["outcome"] for row in history(family)] == ["done", "done", "failed"]


def test_references_that_were_broken_before_are_no_reason_to_refuse(family: Project) -> None:
    family.sql("INSERT INTO cascading (id, parent_id) VALUES (4, 99)")  # a database from elsewhere
    write_revision(family, "longer", LONGER, after="family")
    ok(family.alembic("upgrade", "head"))
    assert (4, 99) in family.sql("SELECT id, parent_id FROM cascading")


def test_a_reference_that_sqlite_cannot_check_can_be_mended(sqlite_project: Project) -> None:
    project = sqlite_project
    project.sql("CREATE TABLE parents (id INTEGER PRIMARY KEY, code TEXT)")
    project.sql("CREATE TABLE children (id INTEGER PRIMARY KEY, code TEXT REFERENCES parents (code))")
    project.sql("INSERT INTO children VALUES (1, 'a')")
    said = ok(project.alembic("upgrade", "head"))
    assert "no foreign key can be checked after the run: foreign key mismatch" in said
    write_revision(project, "mend", 'op.create_index("uq", "parents", ["code"], unique=True)')
    ok(project.alembic("upgrade", "head"))
    write_revision(project, "back", 'op.drop_index("uq", "parents")', after="mend")
    line = refusal(project.alembic("upgrade", "head"))
    assert 'foreign key mismatch - "children" referencing "parents"; nothing was changed' in line


def test_an_autocommit_block_does_not_break_the_transaction_of_a_run(family: Project) -> None:
    before = dump(family)
    write_revision(
        family,
        "index",
        "op.execute(\"UPDATE parents SET name = 'early'\")",
        "with op.get_context().autocommit_block():",
        '    op.create_index("ix_parents_name", "parents", ["name"], postgresql_concurrently=True)',
        after="family",
    )
    write_revision(family, "bad", 'op.drop_table("missing")', after="index")
    assert re.search(r"_bad\.py:\d+: .*; nothing was changed", refusal(family.alembic("upgrade", "head")))
    assert dump(family) == before

    write_revision(family, "bad", "pass", after="index")
    ok(family.alembic("upgrade", "head"))
    assert family.sql("SELECT name FROM sqlite_master WHERE name = 'ix_parents_name'") == [
        ("ix_parents_name",)
    ]
    assert family.sql("SELECT DISTINCT name FROM parents") == [("early",)]


def test_a_failure_in_an_autocommit_block_undoes_the_run_too(family: Project) -> None:
    before = dump(family)
    write_revision(
        family,
        "bad",
        "with op.get_context().autocommit_block():",
        "    op.execute(\"UPDATE parents SET name = 'early'\")",
        '    op.drop_table("missing")',
        after="family",
    )
    assert "nothing was changed" in refusal(family.alembic("upgrade", "head"))
    assert dump(family) == before


WRITTEN = '''\
"""A model of a test."""

import sqlalchemy as sa

from app.models.base import Base

sa.Table("things", Base.metadata, {})
'''
ID = 'sa.Column("id", sa.Integer, primary_key=True)'
# Columns and options of a table before and after, and what the revision says.
CHANGES = {
    "a CHECK in a column": (
        f'{ID}, sa.Column("a", sa.Integer, sa.CheckConstraint("a > 0", name="more"))',
        f'{ID}, sa.Column("a", sa.Integer, sa.CheckConstraint("a > -1", name="more"))',
        "a > -1",
    ),
    "a primary key": (
        f'{ID}, sa.Column("a", sa.Integer, nullable=False)',
        f'{ID}, sa.Column("a", sa.Integer, primary_key=True)',
        'batch_op.create_primary_key(op.f("pk_things"), ["id", "a"])',
    ),
    "options": (
        f'{ID}, sa.Column("a", sa.Integer)',
        f'{ID}, sa.Column("a", sa.Integer), sqlite_strict=True, sqlite_autoincrement=True',
        '"sqlite_strict": True',
    ),
    "an index over an expression": (
        f'{ID}, sa.Column("a", sa.Integer), sa.Index("i", sa.text("abs(a)"))',
        f'{ID}, sa.Column("a", sa.Integer), sa.Index("i", "a")',
        'op.execute("DROP INDEX i")',
    ),
    "a computed column": (
        f'{ID}, sa.Column("a", sa.Integer), sa.Column("b", sa.Integer, sa.Computed("a * 2"))',
        f'{ID}, sa.Column("a", sa.Integer), sa.Column("b", sa.Integer, sa.Computed("a * 3"))',
        "a * 3",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_alembic_does_not_write_on_sqlite_is_written_and_keeps_rows(
    sqlite_project: Project, change: str
) -> None:
    project = sqlite_project
    before, after, said = CHANGES[change]
    project.write("app/models/thing.py", WRITTEN.format(before))
    ok(project.make("migration", "MSG=before"))
    ok(project.make("migrate"))
    project.sql("INSERT INTO things (id, a) VALUES (1, 1), (2, 5)")
    project.sql("CREATE TRIGGER kept AFTER DELETE ON things BEGIN SELECT 1; END")
    project.write("app/models/thing.py", WRITTEN.format(after))
    printed = ok(project.make("migration", "MSG=after"))
    assert "Renamed?" not in printed
    [path] = project.revisions("_after")
    assert said in path.read_text("utf-8")
    for command in ("upgrade head", "downgrade -1", "upgrade head"):
        ok(project.alembic(*command.split()))
        assert project.sql("SELECT id, a FROM things ORDER BY id") == [(1, 1), (2, 5)]
        assert project.sql("SELECT name FROM sqlite_master WHERE type = 'trigger'") == [("kept",)]
    project.sql("DROP TRIGGER kept")
    ok(project.make("migration-check"))


def test_a_batch_that_would_lose_something_stops_in_one_line(sqlite_project: Project) -> None:
    project = sqlite_project
    write_revision(project, "family", FAMILY, 'op.execute("CREATE VIEW names AS SELECT name FROM parents")')
    ok(project.alembic("upgrade", "head"))
    before = dump(project)
    drop = 'with op.batch_alter_table("parents") as batch:\n    batch.drop_column("name")'
    write_revision(project, "drop", drop, after="family")
    line = refusal(project.alembic("upgrade", "head"))
    assert "_drop.py:13: " in line
    assert "error in view names" in line
    assert "drop it in the revision before the batch; nothing was changed" in line
    assert dump(project) == before
    write_revision(project, "drop", 'op.execute("DROP VIEW names")', drop, after="family")
    ok(project.alembic("upgrade", "head"))
