"""A revision works in one transaction or commits as it goes; one that would do both is refused."""

import pytest

from orders import ALEMBICS, INDEX, shape
from projects import INITIAL, Project, ok, refusal
from states import add_revision, write_revision

pytestmark = pytest.mark.slow
HIDDEN = f"\n\n\ndef hidden() -> None:\n    {INDEX}\n"


def test_a_revision_of_both_kinds_is_refused_before_it_begins(in_use: Project) -> None:
    project = in_use
    before = shape(project)
    add_revision(project, 'op.add_column("users", sa.Column("more", sa.Integer()))', ALEMBICS)
    line = refusal(project.alembic("upgrade", "head"))
    assert "line 14 commits as it goes, line 13 works in a transaction" in line
    assert "nothing was run" in line
    assert shape(project) == before


def test_branches_and_what_only_reads_are_no_second_kind(in_use: Project) -> None:
    project = in_use
    add_revision(project, "op.execute(\"SET statement_timeout = '1h'\")", INDEX)
    add_revision(
        project,
        'if op.get_bind().dialect.name == "postgresql":',
        "    with op.get_context().autocommit_block():",
        '        op.execute("ALTER TABLE orders ADD COLUMN more int")',
        "else:",
        '    op.add_column("orders", sa.Column("more", sa.Integer()))',
    )
    ok(project.alembic("upgrade", "head"))
    assert {"ix_users_name", "more"} <= {row[0] for row in shape(project)}


def test_the_first_revision_of_all_may_commit_as_it_goes(postgresql_project: Project) -> None:
    project = postgresql_project
    for file in (project.path / "alembic" / "versions").glob("*.py"):
        file.unlink()
    project.sql("CREATE TABLE users (id uuid PRIMARY KEY, name text)")  # an adopted database
    path = write_revision(project, "first", INDEX)
    path.write_text(
        path.read_text("utf-8").replace(f"down_revision = '{INITIAL}'", "down_revision = None"), "utf-8"
    )
    ok(project.alembic("upgrade", "head"))
    assert project.version() == ["first"]


def test_a_revision_of_both_kinds_is_stopped_where_the_second_begins(in_use: Project) -> None:
    project = in_use
    before = shape(project)
    add_revision(project, 'op.execute("ALTER TABLE users ADD COLUMN more int")', "hidden()")
    path = project.revisions()[-1]
    path.write_text(path.read_text("utf-8") + HIDDEN, "utf-8")
    said = refusal(project.alembic("upgrade", "head"))
    assert "statements in the transaction, and then a commit" in said
    assert shape(project) == before

    path.unlink()
    add_revision(project, "hidden()", 'op.execute("ALTER TABLE users ADD COLUMN more int")')
    path = project.revisions()[-1]
    path.write_text(path.read_text("utf-8") + HIDDEN, "utf-8")
    said = refusal(project.alembic("upgrade", "head"))
    assert "a commit, and then statements in a transaction" in said
    assert "more" not in {row[0] for row in shape(project)}
    assert project.version() == [INITIAL]
