"""A database and code of another age: ahead, diverged, unknown, forked, edited; nothing is changed."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.database_state import HISTORY, dump, history, write_revision
from support.projects import INITIAL, Project, ok, refusal

pytestmark = [pytest.mark.slow, pytest.mark.first_on("postgresql")]
LOST = "fedcba987654"


@pytest.fixture
def newer(project: Project, default_project: Path, tmp_path: Path) -> Project:
    """A second checkout for the same database, a release and a revision ahead of `project`."""
    if project.dialect == "sqlite":  # each would have a file of its own
        project.url = f"sqlite:///{tmp_path / 'shared.db'}"
        project.write(".env", f"DATABASE_URL={project.url}\n")
    other = Project.adopt(default_project, tmp_path / "newer", project.url)
    other.edit("pyproject.toml", 'version = "0.1.0"', 'version = "7.8.9"')
    write_revision(other, "new", 'op.execute("CREATE TABLE new (id INTEGER)")')
    return other


def said_ahead(output: str) -> None:
    """It is one line that names revision, date and version, and nothing ran."""
    lines = [line for line in output.splitlines() if "ahead of this code" in line]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert len(lines) == 1, output
    assert re.search(rf"new ran on {today} \d\d:\d\d with version 7\.8\.9 ", lines[0])
    assert "Running" not in output


def test_an_old_instance_that_restarts_during_a_deployment_finds_the_database_ahead(
    project: Project, newer: Project
) -> None:
    ok(project.alembic("upgrade", "head"))
    ok(newer.alembic("upgrade", "head"))
    before = dump(project, all_of_it=True)
    said_ahead(ok(project.alembic("upgrade", "head")))
    said_ahead(ok(project.make("migrate")))
    said_ahead(ok(project.alembic("upgrade", INITIAL)))
    for command in (("downgrade", "-1"), ("downgrade", "base")):
        line = refusal(project.alembic(*command))
        assert "new" in line
        assert "at which the database stands" in line
    assert dump(project, all_of_it=True) == before
    # And the newer one goes its way.
    assert "nothing to do" not in refusal(project.alembic("upgrade", "+1"))
    ok(newer.alembic("downgrade", "-1"))
    assert "ahead" not in ok(project.alembic("upgrade", "head"))


def test_a_database_is_ahead_by_several_revisions_branches_and_a_merge(
    project: Project, newer: Project
) -> None:
    write_revision(newer, "left", after="new")
    write_revision(newer, "right", after="new")
    write_revision(newer, "both", after=("left", "right"))
    ok(newer.alembic("upgrade", "head"))
    before = dump(project, all_of_it=True)
    assert "ahead of this code: both ran" in ok(project.alembic("upgrade", "head"))
    assert dump(project, all_of_it=True) == before


def test_a_database_is_ahead_by_a_revision_that_depends_on_another_branch(
    project: Project, newer: Project
) -> None:
    for checkout in (project, newer):
        write_revision(checkout, "side", 'op.execute("CREATE TABLE side (id INTEGER)")')
    ok(project.alembic("upgrade", "heads"))
    new = newer.revisions("new")[0]
    new.write_text(new.read_text("utf-8").replace("depends_on = None", 'depends_on = "side"'), "utf-8")
    ok(newer.alembic("upgrade", "heads"))
    assert project.version() == ["new"]
    said_ahead(ok(project.alembic("upgrade", "heads")))


def test_a_database_on_another_branch_is_refused(project: Project, newer: Project) -> None:
    ok(newer.alembic("upgrade", "head"))
    write_revision(project, "mine", 'op.execute("CREATE TABLE mine (id INTEGER)")')
    before = dump(project, all_of_it=True)
    for result in (project.alembic("upgrade", "head"), project.make("migrate")):
        line = refusal(result)
        assert "stands at new of another branch" in line
        assert "merge the branches first" in line
    assert dump(project, all_of_it=True) == before


def test_a_revision_that_neither_code_nor_history_knows_is_refused(project: Project) -> None:
    write_revision(project, "one", 'op.execute("CREATE TABLE one (id INTEGER)")')
    ok(project.alembic("upgrade", INITIAL))
    project.sql(f"UPDATE alembic_version SET version_num = '{LOST}'")
    before = dump(project, all_of_it=True)
    for result in (project.alembic("upgrade", "head"), project.make("migrate")):
        assert f"stands at {LOST}, which neither this code nor its history knows" in refusal(result)
    assert LOST in refusal(project.alembic("downgrade", "-1"))
    assert dump(project, all_of_it=True) == before


def test_an_adopted_database_that_is_ahead_is_refused_since_no_history_speaks_for_it(
    project: Project, newer: Project
) -> None:
    ok(newer.alembic("upgrade", "head"))
    project.sql(f"DROP TABLE {HISTORY}")
    before = dump(project, all_of_it=True)
    assert "neither this code nor its history knows" in refusal(project.alembic("upgrade", "head"))
    assert dump(project, all_of_it=True) == before


def test_a_database_that_newer_code_stamped_is_ahead(project: Project, newer: Project) -> None:
    ok(project.alembic("upgrade", "head"))
    ok(newer.alembic("stamp", "head"))
    before = dump(project, all_of_it=True)
    said_ahead(ok(project.alembic("upgrade", "head")))
    assert dump(project, all_of_it=True) == before


def test_two_heads_are_refused_and_nothing_runs(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.alembic("upgrade", "head"))
    for name in ("left", "right"):
        write_revision(project, name, f'op.execute("CREATE TABLE {name} (id INTEGER)")')
    before = dump(project, all_of_it=True)
    for result in (project.alembic("upgrade", "head"), project.make("migrate")):
        line = refusal(result)
        assert "several heads" in line
        assert "left" in line
        assert "right" in line
        assert "migration-merge" in line
    assert dump(project, all_of_it=True) == before


def write_applied_and_pending(project: Project) -> Path:
    """Two revisions that run here, and two that wait; returns the file of the first."""
    names = ("one", "two", "three", "four")
    files = [
        write_revision(project, name, f'op.execute("CREATE TABLE {name} (id INTEGER)")', after=after)
        for name, after in zip(names, (INITIAL, *names[:-1]), strict=True)
    ]
    ok(project.alembic("upgrade", "two"))
    return files[0]


def test_an_edited_revision_stops_those_that_wait_until_it_is_as_it_was(project: Project) -> None:
    one = write_applied_and_pending(project)
    text = one.read_text("utf-8")
    before = dump(project, all_of_it=True)

    one.write_text(text.replace("id INTEGER", "id BIGINT"), "utf-8")
    for result in (project.alembic("upgrade", "head"), project.make("migrate", "REV=+1")):
        line = refusal(result)
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        assert re.search(rf"FAILED: {one.name} was edited after it ran here on {today} \d\d:\d\d: ", line)
        assert "Nothing was changed" in line
    gate = refusal(project.make("migration-check"))
    assert f"{one.name} was edited after it ran here" in gate
    assert "write a new revision for the change; or say that it is right as it is: alembic stamp" in gate
    assert dump(project, all_of_it=True) == before

    one.write_text(text, "utf-8")
    ok(project.alembic("upgrade", "head"))
    assert {"three", "four"} <= project.tables()


@pytest.mark.parametrize("name", ["one", "two"], ids=["an earlier one", "where the database is"])
def test_an_edited_revision_that_is_right_is_made_known_by_a_stamp(
    postgresql_project: Project, name: str
) -> None:
    project = postgresql_project
    write_applied_and_pending(project)
    [path] = project.revisions(f"_{name}")
    path.write_text(path.read_text("utf-8") + "# and a remark\n", "utf-8")
    line = refusal(project.make("migrate"))
    [advice] = re.findall(r"alembic (stamp --purge \w+)", line)
    ok(project.alembic(*advice.split()))
    assert project.version() == ["two"]
    ok(project.make("migrate"))
    assert project.version() == ["four"]
    assert {"three", "four"} <= project.tables()
    told = [(row["revision"], row["direction"]) for row in history(project)][3:]
    assert told == [("two", "stamp"), ("three", "upgrade"), ("four", "upgrade")]


def test_what_never_ran_here_or_was_undone_may_be_edited_and_line_ends_do_not_count(
    sqlite_project: Project,
) -> None:
    project = sqlite_project
    one = write_applied_and_pending(project)
    for name in ("two", "four"):  # undone, and never run
        project.edit(f"alembic/versions/20260102_0000_{name}.py", "id INTEGER", "id BIGINT")
    project.sql("DROP TABLE two")
    ok(project.alembic("downgrade", "-1"))
    one.write_bytes(one.read_bytes().replace(b"\n", b"\r\n"))
    ok(project.alembic("upgrade", "head"))
    assert "BIGINT" in dump(project)


def test_a_stamped_database_without_a_history_is_migrated_from_there(project: Project) -> None:
    ok(project.alembic("upgrade", "head"))
    project.sql("DROP TABLE alembic_version")
    project.sql(f"DROP TABLE {HISTORY}")
    write_revision(project, "one", 'op.execute("CREATE TABLE one (id INTEGER)")')
    ok(project.make("migration-stamp", f"REV={INITIAL}"))
    ok(project.make("migrate"))
    assert "one" in project.tables()
    told = [(row["revision"], row["direction"]) for row in history(project)]
    assert told == [(INITIAL, "stamp"), ("one", "upgrade")]


def test_what_only_a_stamp_knows_is_not_undone_unless_the_database_is_named(project: Project) -> None:
    """The tables of an adopted database are not the baseline's to drop."""
    name = "dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2]
    ok(project.make("migrate"))
    for table in ("alembic_version", HISTORY):
        project.sql(f"DROP TABLE {table}")
    ok(project.make("migration-stamp", "REV=head"))
    write_revision(
        project, "one", 'op.execute("CREATE TABLE one (id INTEGER)")', downgrade='op.drop_table("one")'
    )
    ok(project.make("migrate"))

    for variables in ({}, {"CONFIRM": "other"}):
        line = refusal(project.make("migration-down", "REV=base", **variables))
        assert f"{INITIAL} did not run here: a stamp recorded it last, or another tool," in line
        assert line.endswith(f"CONFIRM={name}")
        assert ("CONFIRM is not the name" in line) == bool(variables)
    assert project.version() == ["one"]
    ok(project.make("migration-down"))  # this one did run
    line = refusal(project.alembic("downgrade", "-1"))
    assert "users" in project.tables()

    project.variables["CONFIRM"] = line.rpartition("CONFIRM=")[2]
    ok(project.alembic("downgrade", "-1"))
    assert "users" not in project.tables()
    # What ran afterwards is known, until a stamp below it takes that back.
    del project.variables["CONFIRM"]
    for command in ("upgrade head", "downgrade base", "upgrade head", "stamp base", "stamp head"):
        ok(project.alembic(*command.split()))
    assert f"one, {INITIAL} did not run here" in refusal(project.alembic("downgrade", "base"))
