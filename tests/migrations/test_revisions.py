"""Revision files: their names and identifiers, where they are written, and where not."""

import re
import sys
from pathlib import Path

import pytest

from support.projects import INITIAL, NO_SERVER, PRODUCT, Project, body, like_others, ok, refusal

pytestmark = pytest.mark.slow
# While the new file is proved, somebody else's comes.
ANOTHER = """
import shutil
from pathlib import Path
from typing import Any


def write_another(**_step: Any) -> None:
    [file] = Path(__file__).with_name("versions").glob("*create_users.py")
    shutil.copy(file, file.with_name("20260102_0000_other.py"))


environment.run(metadata, naming_convention=NAMING_CONVENTION, on_version_apply=write_another)
"""


def test_no_revision_overwrites_another_of_the_same_minute(sqlite_project: Project) -> None:
    project = sqlite_project
    # The clock may move on once in between; names are compared without their time.
    project.write("app/models/product.py", PRODUCT)
    ok(project.alembic("revision", "--autogenerate", "-m", "same"))
    ok(project.alembic("revision", "-m", "same"))
    project.edit("app/models/product.py", "String(80)", "String(90)")
    ok(project.alembic("revision", "--autogenerate", "-m", "same"))
    ok(project.alembic("revision", "-m", "same", "--head", INITIAL, "--splice"))
    ok(project.alembic("merge", "heads", "-m", "same"))
    names = [revision.name for revision in project.revisions()]
    assert len(names) == 5
    minutes = {name[:13] for name in names}
    for minute in minutes:
        suffixes = sorted(name[13:] for name in names if name.startswith(minute))
        count = len(suffixes)
        assert suffixes == sorted(["_same.py", *(f"_same_{n}.py" for n in range(2, count + 1))])
    assert len(ok(project.alembic("history")).strip().splitlines()) >= 6


def test_an_identifier_is_not_given_twice(sqlite_project: Project) -> None:
    ok(sqlite_project.alembic("revision", "-m", "one", "--rev-id", "abc"))
    assert "exists already" in refusal(sqlite_project.alembic("revision", "-m", "two", "--rev-id", "abc"))
    assert len(sqlite_project.revisions()) == 1


def test_what_could_not_become_a_file_is_refused_before_any_work_is_done(sqlite_project: Project) -> None:
    project = sqlite_project

    def said(target: str, message: str) -> str:
        return refusal(project.make(target, f"MSG={message}", DATABASE_URL=NO_SERVER))

    assert "nothing to merge" in said("migration-merge", "x")
    assert "letter or digit" in said("migration", "!!!")
    ok(project.alembic("revision", "-m", "one"))
    ok(project.alembic("revision", "-m", "two", "--head", INITIAL, "--splice"))
    before = project.revisions()
    assert "migration-merge" in said("migration", "x")
    assert "migration-merge" in said("migration-empty", "x")
    assert "letter or digit" in said("migration-merge", "!!!")
    assert project.revisions() == before


def test_revisions_that_are_no_heads_are_merged_where_splice_asks_for_it(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.alembic("revision", "-m", "one", "--rev-id", "aaa"))
    ok(project.alembic("revision", "-m", "two", "--rev-id", "bbb"))
    assert "nothing to merge" in refusal(project.alembic("merge", "-m", "both", INITIAL, "aaa"))
    ok(project.alembic("merge", "-m", "both", "--splice", INITIAL, "aaa"))
    assert len(project.revisions("both")) == 1


def test_a_folder_that_cannot_be_written_to_is_one_line(sqlite_project: Project) -> None:
    project, user = sqlite_project, like_others()
    (project.path / "alembic" / "versions").chmod(0o555)
    result = project.run(*user, sys.executable, "-m", "alembic", "revision", "-m", "x")
    assert refusal(result).endswith("alembic/versions cannot be written to")
    assert project.revisions() == []


def test_where_the_disk_is_full_no_half_of_a_file_is_left(sqlite_project: Project) -> None:
    project, command = sqlite_project, (sys.executable, "-m", "alembic", "revision", "-m", "x")
    result = project.run("sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command)
    assert re.search(r"FAILED: \w+_x\.py is not written: File too large$", refusal(result))
    assert project.revisions() == []


def test_of_two_commands_at_once_one_writes_and_the_other_says_so(sqlite_project: Project) -> None:
    project = sqlite_project
    project.add_product()
    text = (project.path / "alembic/env.py").read_text("utf-8")
    project.write("alembic/env.py", text[: text.rindex("environment.run")] + ANOTHER)
    said = refusal(project.make("migration", "MSG=add products"))
    assert "another command has written 20260102_0000_other.py meanwhile: read that, and type" in said
    assert [file.name for file in project.revisions()] == ["20260102_0000_other.py"]


@pytest.mark.first_on("sqlite")
def test_alembic_works_from_any_folder(project: Project, tmp_path: Path) -> None:
    ok(project.alembic("upgrade", "head", folder=tmp_path))
    assert "users" in project.tables()
    project.write("app/models/product.py", PRODUCT)
    ok(project.alembic("revision", "--autogenerate", "-m", "add products", folder=tmp_path))
    assert "products" in body(project.revisions()[0])
    ok(project.alembic("upgrade", "head", folder=tmp_path))
    ok(project.alembic("check", folder=tmp_path))


def test_an_empty_revision_is_written_without_a_database(sqlite_project: Project) -> None:
    sqlite_project.write(".env", "DATABASE_URL=postgresql://u:secret@127.0.0.1:1/none\n")
    ok(sqlite_project.alembic("revision", "-m", "by hand"))
    text = sqlite_project.revisions()[0].read_text("utf-8")
    # Ready to be filled: what every revision uses is imported.
    assert "import sqlalchemy as sa" in text
    assert "from alembic import op" in text


@pytest.mark.first_on("sqlite")
def test_a_folder_with_a_strange_name_is_no_obstacle(project: Project, tmp_path: Path) -> None:
    strange = tmp_path / "-it's: 50% a $(b) #1 %(here)s ü"
    project.path.rename(strange)
    project.path = strange
    ok(project.make("migrate"))
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    ok(project.make("migrate"))
    assert "products" in project.tables()
    for target in ("migration-check", "migration-sql", "migration-show REV=head"):
        ok(project.make(*target.split()))


def test_sql_from_one_revision_to_another_leads_up_or_down(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    up = project.make("migration-sql", f"REV={INITIAL}:head").stdout
    assert "CREATE TABLE products" in up
    assert "CREATE TABLE users" not in up
    down = project.make("migration-sql", f"REV=head:{INITIAL}").stdout
    assert "DROP TABLE products" in down
    assert down == project.make("migration-sql", "REV=head:-1").stdout
