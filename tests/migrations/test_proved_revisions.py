"""A revision is run up and down before anybody reads it; what is wrong with it is said, also in the file."""

import pytest

from support.database_state import add_revision
from support.projects import Project, body, ok, refusal
from support.unproved import (
    GADGET,
    MODEL,
    drop_what_a_view_has,
    drop_what_is_published,
    partition,
    partition_and_add,
    use_what_is_not_there,
)

pytestmark = pytest.mark.slow
EVENT = '''\
"""A model of a test."""

from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Event(Base):
    """Something on a day, in partitions that no model describes."""

    __table_args__ = {"postgresql_partition_by": "RANGE (day)"}
    day: Mapped[date] = mapped_column(primary_key=True)
'''
MOODY = (
    GADGET.replace("from sqlalchemy import", "import enum\n\nfrom sqlalchemy import", 1)
    .replace(
        "    size:",
        '    mood: Mapped[enum.Enum] = mapped_column(Enum("calm", "wild", name="mood"))\n    size:',
    )
    .replace("import Integer", "import Enum, Integer")
)
LISTING = """\
from pathlib import Path
from typing import Any


def tell_strangers(*, step: Any, **_rest: Any) -> None:
    files = Path(__file__).with_name("versions").glob("*.py")
    if not any(step.up_revision_id in file.read_text("utf-8") for file in files):
        print("no such file yet")


environment.run(metadata, naming_convention=NAMING_CONVENTION, on_version_apply=tell_strangers)
"""


def test_what_a_revision_does_not_write_is_named_and_stands_in_it(postgresql_project: Project) -> None:
    project = postgresql_project
    partition_and_add(project)
    written = project.make("migration", "MSG=partition gadgets")
    assert written.returncode == 2  # make's; the command's is 1
    assert "written, but not right as it is" in refusal(written)
    line = "not written: table public.gadgets: partitioned: none in the revision, "
    assert line in written.stdout
    [file] = project.revisions("partition_gadgets")
    assert f"    # {line}" in body(file)
    assert 'add_column("gadgets", sa.Column("more"' in body(file)


HOOKS = """
def render_item(kind, item, context):
    return False


def name_it(context, revision, directives):
    directives[0].rev_id = f"own{directives[0].rev_id}"


def metadata"""


def test_hooks_that_change_no_operation_hide_nothing(postgresql_project: Project) -> None:
    project = postgresql_project
    keywords = "process_revision_directives=name_it, render_item=render_item"
    project.edit("alembic/env.py", "\ndef metadata", HOOKS)
    project.edit("alembic/env.py", "environment.run(metadata, ", f"environment.run(metadata, {keywords}, ")
    partition_and_add(project)
    line = "not written: table public.gadgets: partitioned: none in the revision, "
    assert line in project.make("migration", "MSG=partition gadgets").stdout
    [file] = project.revisions("partition_gadgets")
    assert "Revision ID: own" in file.read_text("utf-8")


def test_where_nothing_can_be_written_there_is_no_file(postgresql_project: Project) -> None:
    project = postgresql_project
    partition(project)
    assert "no file is written: " in refusal(project.make("migration", "MSG=partition gadgets"))
    assert project.revisions("partition") == []


def test_what_a_downgrade_does_not_restore_is_named(postgresql_project: Project) -> None:
    project = postgresql_project
    drop_what_is_published(project)
    written = project.make("migration", "MSG=drop gadgets")
    assert "written, but not right as it is" in refusal(written)
    assert "the downgrade leaves: publication sold: " in written.stdout
    assert "# the downgrade leaves: publication sold: " in body(project.revisions("drop_gadgets")[0])


def test_a_revision_that_fails_is_named_before_anybody_runs_it(postgresql_project: Project) -> None:
    project = postgresql_project
    drop_what_a_view_has(project)
    written = project.make("migration", "MSG=drop size")
    assert "written, but not right as it is" in refusal(written)
    assert "not proved: " in written.stdout
    assert "cannot drop column size of table gadgets" in written.stdout


def test_a_model_that_the_database_refuses_is_named(postgresql_project: Project) -> None:
    project = postgresql_project
    use_what_is_not_there(project)
    printed = refusal(project.make("migration", "MSG=add gadgets"))
    assert (
        "the database does not take what the models say: table gadgets: function nonsense() does not"
        in printed
    )
    assert project.revisions() == []


@pytest.mark.first_on("sqlite")
def test_while_a_file_is_proved_it_is_not_among_the_revisions(project: Project) -> None:
    text = (project.path / "alembic/env.py").read_text("utf-8")
    project.write("alembic/env.py", text[: text.rindex("environment.run")] + LISTING)
    project.write(MODEL, GADGET)
    assert "no such file yet" in ok(project.make("migration", "MSG=add gadgets"))
    assert "no such file yet" not in ok(project.make("migrate"))


def test_partitions_stay_and_so_do_their_rows_whatever_else_the_models_get(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    add_revision(
        project,
        "op.execute('CREATE TABLE events (day date PRIMARY KEY) PARTITION BY RANGE (day)')",
        "op.execute('CREATE TABLE events_1 PARTITION OF events DEFAULT PARTITION BY RANGE (day)')",
        "op.execute('CREATE TABLE events_2 PARTITION OF events_1 DEFAULT')",
    )
    project.write("app/models/event.py", EVENT)
    project.write(MODEL, MOODY)  # a type of the database, which belongs to no table
    ok(project.make("migration", "MSG=add gadgets"))
    [file] = project.revisions("add_gadgets")
    assert "events_" not in body(file).replace("events_pkey", "")
    assert "RENAME CONSTRAINT events_pkey TO pk_events" in body(file)
    ok(project.make("migrate"))
