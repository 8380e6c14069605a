"""The service's own functions: what they compare, leave out and write."""

import pytest

from support.projects import PRODUCT, Project, ok, refusal

pytestmark = pytest.mark.slow


@pytest.mark.first_on("sqlite")
def test_one_documented_place_takes_compare_functions_of_ones_own(project: Project) -> None:
    ok(project.make("migrate"))
    project.edit("app/models/user.py", "String(200)", "String(201)")
    assert "String(length=201)" in refusal(project.alembic("check"))
    ours = "environment.run(metadata, compare_type=lambda *_: False, "
    project.edit("alembic/env.py", "environment.run(metadata, ", ours)
    ok(project.alembic("check"))


THEIRS = """
def include_object(item, name, kind, reflected, compare_to):
    return name != "forgotten"


def render_item(kind, item, context):
    return "sa.String(999)" if kind == "type" and type(item).__name__ == "String" else False


def take_out_notes(context, revision, directives):
    [script] = directives
    [upgrade] = script.upgrade_ops_list
    script.rev_id = "theirs"
    upgrade.ops = [table for table in upgrade.ops if table.table_name != "notes"]
    upgrade.reverse_into(script.downgrade_ops_list[0])
"""


@pytest.mark.first_on("sqlite")
def test_functions_of_ones_own_are_joined_with_ours(project: Project) -> None:
    keywords = (
        "include_object=include_object, render_item=render_item, process_revision_directives=take_out_notes"
    )
    project.edit("alembic/env.py", "environment.run(metadata, ", f"environment.run(metadata, {keywords}, ")
    project.edit("alembic/env.py", "\n\n\ndef metadata", f"\n{THEIRS}\n\ndef metadata")
    project.edit("alembic.ini", "leave_alone =", "leave_alone = celery_*")
    ok(project.make("migrate"))
    for table in ("forgotten", "celery_tasks"):
        project.sql(f"CREATE TABLE {table} (id INTEGER)")
    ok(project.alembic("check"))

    notes = "from app.models.base import BaseModel\n\n\nclass Note(BaseModel):\n    pass\n"
    project.write("app/models/note.py", notes)
    assert "No changes" in ok(project.make("migration", "MSG=notes"))
    ok(project.alembic("check"))
    project.write("app/models/product.py", PRODUCT.replace("String(80)", "String(80), index=True"))
    project.edit("app/models/user.py", "String(200)", "String(200), index=True")
    ok(project.make("migration", "MSG=more"))
    text = "".join(path.read_text("utf-8") for path in project.revisions("more"))
    assert "sa.String(999)" in text  # theirs
    assert "sa.DateTime(timezone=True)" in text  # ours, of what they left
    assert 'create_table(\n        "notes"' not in text
    if project.dialect == "postgresql":  # ours, which refers to what they changed
        assert "Revises: theirs" in text


FILTER = """
def include_object(item, name, kind, reflected, compare_to):
    return name != "dotted.name"


environment.run(metadata, naming_convention=NAMING_CONVENTION, include_object=include_object)
"""


@pytest.mark.first_on("sqlite")
def test_a_filter_of_ones_own_is_asked_about_whole_names(project: Project) -> None:
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    column = '    size: Mapped[int | None] = mapped_column("dotted.name")\n    name:'
    project.edit("app/models/shop/product.py", "    name:", column)
    text = (project.path / "alembic/env.py").read_text("utf-8")
    project.write("alembic/env.py", text[: text.rindex("environment.run")] + FILTER)
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
