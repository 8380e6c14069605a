r"""Colons in SQL of models: SQLAlchemy takes `:x` for a parameter, and `\:` for an escaped colon."""

import pytest

from support.projects import INITIAL, Project, body, ok

pytestmark = pytest.mark.slow
GADGET = r'''
"""A model of a test."""

from sqlalchemy import CheckConstraint, Computed, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel


class Gadget(BaseModel):
    """Something with colons."""

    __table_args__ = (
        CheckConstraint(r"word <> '\\:b'", name="escaped"),
        CheckConstraint(r"word <> '\:smile\: \:x'", name="emoji"),
    )
    word: Mapped[str] = mapped_column(String(80))
    emoji: Mapped[str] = mapped_column(String(80), server_default=":smile: :x")
    made: Mapped[str] = mapped_column(String(80), server_default=text(r"'a' || '\:x'"))
    long: Mapped[str | None] = mapped_column(String(80), Computed(r"word || '\:smile\: \:x'"))
'''


@pytest.mark.long
def test_colons_in_what_the_models_say_come_into_the_database(project: Project) -> None:
    gadget = GADGET if project.dialect == "postgresql" else GADGET.replace("'a' || '\\:x'", "'\\:x'")
    project.write("app/models/gadget.py", gadget)
    ok(project.make("migration", "MSG=add gadgets"))
    ok(project.make("migrate"))
    ok(project.make("migration-check"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))

    project.edit("app/models/gadget.py", ":x'\", name", ":y'\", name")
    project.edit("app/models/gadget.py", r"'\\:b'", r"'^\\:c'")
    project.edit("app/models/gadget.py", "word || '\\:smile\\: \\:x'", "word || '\\:smile\\: \\:y'")
    ok(project.make("migration", "MSG=other colons"))
    ok(project.make("migrate"))
    ok(project.make("migration-check"))

    (project.path / "app/models/gadget.py").unlink()
    ok(project.make("migration", "MSG=drop gadgets"))
    assert "drop_table" in body(project.revisions("drop_gadgets")[0])
    ok(project.alembic("upgrade", "head"))
    ok(project.alembic("downgrade", INITIAL))


def test_sql_that_alembic_has_no_operation_for_keeps_its_colons(postgresql_project: Project) -> None:
    project = postgresql_project
    literals = (":smile:", ":x", r"\:x", ":a::b", r"\:", "12:30")
    script = (
        "from sqlalchemy import create_engine, text\n"
        "from dbkit.autogenerate.statements import Statement\n"
        f"for literal in {literals!r}:\n"
        "    sql = f\"SELECT '{literal}'::text, now()::date\"\n"
        "    made = text(Statement(sql, '').sqltext).compile()\n"
        "    print(str(made) == sql, dict(made.params))\n"
    )
    assert set(ok(project.python("-c", script)).splitlines()) == {"True {}"}


def test_a_note_of_several_lines_is_a_comment_as_a_whole(sqlite_project: Project) -> None:
    project = sqlite_project
    before = 'emoji: Mapped[str] = mapped_column("w\\nraise SystemExit(3)\\nx", '
    gadget = GADGET.replace("'a' || ", "").replace("emoji: Mapped[str] = mapped_column(", before)
    project.write("app/models/gadget.py", gadget)
    ok(project.make("migration", "MSG=add gadgets"))
    on_conflict = 'sqlite_on_conflict_not_null="IGNORE", server_default=":smile:'
    project.edit("app/models/gadget.py", 'server_default=":smile:', on_conflict)
    project.edit("app/models/gadget.py", "String(80))", "String(90))")
    written = project.make("migration", "MSG=other gadgets")
    assert written.returncode
    assert "not written: " in written.stdout
    ok(project.make("migrate"))
