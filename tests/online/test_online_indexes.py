"""What autogenerate writes about indexes of tables that exist."""

import pytest

from support.processes import LONG
from support.projects import Project, body, ok

pytestmark = pytest.mark.slow
CONCURRENTLY = "postgresql_concurrently=True"


def test_a_new_column_with_an_index_is_two_revisions(postgresql_project: Project) -> None:
    project = postgresql_project
    column = "    phone: Mapped[str | None] = mapped_column(String(20), index=True)\n"
    project.edit("app/models/user.py", "    name:", f"{column}    name:")
    project.add_product()
    ok(project.make("migration", "MSG=add phone"))
    assert len(project.revisions()) == 2
    first, second = project.revisions()
    assert second.name.endswith("_add_phone_indexes.py")
    assert "add_column" in body(first)
    assert "create_table" in body(first)
    assert "concurrently" not in first.read_text("utf-8")
    assert body(second).count("op.") == 2  # the operation, and op.f
    assert second.read_text("utf-8").count(CONCURRENTLY) == 2
    if LONG:
        ok(project.make("typecheck"))
    ok(project.make("migrate-test"))
    ok(project.make("migrate"))
    ok(project.make("migration-check"))

    # The index goes with its column, in one revision; another one's name changes hands in between.
    project.edit("app/models/user.py", column, "")
    project.edit("app/models/user.py", '"is_active", "created_at"', '"is_active", "name"')
    ok(project.make("migration", "MSG=drop phone"))
    third, fourth = project.revisions("drop_phone")
    assert "drop_index" in body(third)
    assert "drop_column" in body(third)
    assert body(fourth).index("drop_index") < body(fourth).index("create_index")
    assert body(fourth).count(CONCURRENTLY) == 2
    ok(project.make("migrate-test"))


def test_indexes_alone_are_one_revision_and_one_setting_makes_them_ordinary(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    project.edit("app/models/user.py", '(Index(None, "is_active", "created_at"),)', '(Index(None, "name"),)')
    ok(project.make("migration", "MSG=other indexes"))
    [revision] = project.revisions()
    assert body(revision).count(CONCURRENTLY) == 2
    revision.unlink()

    project.edit("alembic.ini", "online_indexes = true", "online_indexes = false")
    ok(project.make("migration", "MSG=other indexes"))
    assert "concurrently" not in project.revisions()[0].read_text("utf-8")


def test_a_note_on_a_rename_stands_in_its_own_file(postgresql_project: Project) -> None:
    project = postgresql_project
    project.edit(
        "app/models/user.py",
        "    name: Mapped[str] = mapped_column(String(200))",
        "    title: Mapped[str] = mapped_column(String(200), index=True)",
    )
    assert "Renamed?" in ok(project.make("migration", "MSG=rename"))
    first, second = project.revisions()
    assert "# Renamed?" in first.read_text("utf-8")
    assert "# Renamed?" not in second.read_text("utf-8")


def test_on_sqlite_nothing_is_concurrent(sqlite_project: Project) -> None:
    project = sqlite_project
    project.edit("app/models/user.py", "String(200)", "String(200), index=True")
    ok(project.make("migration", "MSG=index"))
    [revision] = project.revisions()
    assert "concurrently" not in revision.read_text("utf-8")


PARTS = """
from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel


class Part(BaseModel):
    code: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        Index("ix_expression", text("lower(note)")),
        Index("ix_where", "code", postgresql_where=text("note IS NULL")),
        Index("ix_include", "code", postgresql_include=["note"]),
        Index("uq_parts_code", "code", unique=True),
        Index("ix_kept", "code"),
    )


class Shelf(BaseModel):
    part: Mapped[str] = mapped_column(Text)


class Event(BaseModel):
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    __table_args__ = {"postgresql_partition_by": "RANGE (code)"}
"""
OTHERS = """
from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel


class Part(BaseModel):
    code: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text, unique=True, index=True)
    __table_args__ = (UniqueConstraint("code", name="uq_parts_code"),)


class Shelf(BaseModel):
    part: Mapped[str] = mapped_column(ForeignKey("parts.number"))


class Event(BaseModel):
    code: Mapped[str] = mapped_column(Text, primary_key=True, index=True)
    __table_args__ = {"postgresql_partition_by": "RANGE (code)"}
"""


@pytest.mark.long
def test_two_revisions_run_up_and_down_whatever_needs_an_index(postgresql_project: Project) -> None:
    project = postgresql_project
    project.write("app/models/part.py", PARTS)
    ok(project.make("migration", "MSG=parts"))
    ok(project.make("migrate"))
    before = project.sql("SELECT indexname::text FROM pg_indexes ORDER BY 1")
    project.write("app/models/part.py", OTHERS)
    ok(project.make("migration", "MSG=others"))
    [_, second] = project.revisions("others")
    assert "ix_kept" in body(second)
    assert body(second).count("op.drop_index") == 1
    ok(project.make("migrate"))
    ok(project.make("migration-check"))
    ok(project.alembic("downgrade", "-2"))
    assert project.sql("SELECT indexname::text FROM pg_indexes ORDER BY 1") == before
    ok(project.make("migrate"))
