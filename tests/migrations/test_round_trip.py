"""`make migrate-test`: each downgrade restores what was there before its revision."""

import pytest

from support.database_state import add_revision, write_revision
from support.projects import Project, ok, refusal


@pytest.mark.first_on("postgresql")
def test_a_downgrade_that_does_not_restore_what_was_there_is_named(project: Project) -> None:
    ok(project.make("migrate-test"))
    users = "public.users" if project.dialect == "postgresql" else "users"
    add_revision(
        project,
        'op.add_column("users", sa.Column("nick", sa.Text()))',
        'op.create_index("by_nick", "users", ["nick"])',
        downgrade='op.drop_index("by_nick", "users")',
    )
    add_revision(
        project, 'op.create_table("pets", sa.Column("n", sa.Integer()))', downgrade='op.drop_table("pets")'
    )
    said = project.make("migrate-test")
    assert "1 downgrade does not restore what was there before" in refusal(said)
    lines = said.stdout.splitlines()
    (named,) = (number for number, line in enumerate(lines) if "its downgrade does not restore" in line)
    assert lines[named].startswith("20260102_0000_step01.py: ")
    assert lines[named + 1] == f"  column {users}.nick: only in the schema after its downgrade"
    assert [line for line in lines if line.startswith("  ") and "only in" in line] == [lines[named + 1]]


def test_a_downgrade_of_a_branch_is_compared_and_what_no_model_has_counts(sqlite_project: Project) -> None:
    project = sqlite_project
    view = 'op.execute("CREATE VIEW {0} AS SELECT 1")'.format
    write_revision(project, "left", view("one"), downgrade='op.execute("DROP VIEW one")')
    write_revision(project, "right", view("two"))
    write_revision(project, "joined", after=("left", "right"))
    said = project.make("migrate-test")
    assert "1 downgrade does not restore" in refusal(said)
    assert "view two: only in the schema after its downgrade" in said.stdout


@pytest.mark.first_on("sqlite")
def test_it_begins_later(project: Project) -> None:
    view = 'op.execute("CREATE VIEW {0} AS SELECT 1")'.format
    add_revision(project, view("one"))  # its downgrade does nothing
    second = add_revision(project, view("two"))
    add_revision(project, view("three"), downgrade='op.execute("DROP VIEW three")')
    assert "2 downgrades do not restore" in refusal(project.make("migrate-test"))
    said = ok(project.make("migrate-test", f"FROM={second}"))
    stages = [line for line in said.splitlines() if line.startswith(("up", "down"))]
    assert [stage.partition(" on ")[0] for stage in stages] == [
        f"up to {second}",
        "up to head",
        f"down to {second}",
        "up again",
    ]
    earlier = project.make("migrate-test", "FROM=step01")
    assert "1 downgrade does not restore" in refusal(earlier)
    assert "step02.py: its downgrade does not restore" in earlier.stdout

    for wrong in ("nothing", "-x", "$(shell touch ran)"):
        line = refusal(project.make("migrate-test", f"FROM={wrong}"))
        assert line.startswith("FAILED: ")
        assert wrong in line
        assert "migration-history" in line
    assert not (project.path / "ran").exists()


def test_a_downgrade_that_raises_is_named_with_its_line(project: Project) -> None:
    add_revision(project, downgrade="raise ValueError('no way back')")
    line = refusal(project.make("migrate-test"))
    assert line.startswith("FAILED: 20260102_0000_step01.py:17: ValueError: no way back")
