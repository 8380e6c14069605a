"""Columns that the server fills in: computed ones, and identities."""

import pytest

from support.projects import Project, ok, refusal

pytestmark = pytest.mark.slow


COMPUTED = '''\
"""A model of a test."""

from sqlalchemy import Computed, Identity, Integer
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Square(Base):
    """Keys and values that the server makes."""

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    side: Mapped[int]
    area: Mapped[int] = mapped_column(Integer, Computed("side * side"))
'''


def add_squares(project: Project) -> None:
    """A table with a computed and an identity column, of a migration."""
    # SQLite has no identity columns, and would be asked for one each time.
    text = COMPUTED if project.dialect == "postgresql" else COMPUTED.replace("Identity(), ", "")
    project.write("app/models/square.py", text.replace("Identity, ", "") if text != COMPUTED else text)
    ok(project.make("migration", "MSG=add squares"))
    ok(project.make("migrate"))


@pytest.mark.first_on("postgresql")
def test_computed_and_identity_columns_are_compared(project: Project) -> None:
    add_squares(project)
    project.sql("INSERT INTO squares (side) VALUES (3)")
    assert project.sql("SELECT area FROM squares") == [(9,)]
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
    ok(project.alembic("check"))


@pytest.mark.first_on("sqlite")
def test_a_changed_computed_column_is_reported(project: Project) -> None:
    add_squares(project)
    ok(project.make("migration-check"))
    project.edit("app/models/square.py", "side * side", "side + side")
    for target in ("migration-check", "migrate-test"):
        result = project.make(target)
        assert "differ" in refusal(result)
        assert "squares.area: computed: (side * side)" in result.stdout


@pytest.mark.first_on("postgresql")
@pytest.mark.long
def test_a_computed_column_that_the_server_rewrites_is_no_phantom_change(project: Project) -> None:
    add_squares(project)
    column = "mapped_column(String(9), Computed(\"lower(word) || CASE WHEN side IN (1, 2) THEN 'a' END\"))"
    project.edit(
        "app/models/square.py",
        "    area:",
        "    word: Mapped[str] = mapped_column(String(9))\n"
        f"    small: Mapped[str | None] = {column}\n    area:",
    )
    project.edit("app/models/square.py", "Integer\n", "Integer, String\n")
    if project.dialect == "sqlite":  # which adds no such column to a table
        project.revisions()[-1].unlink()
        (project.path / "dev.db").unlink()
    ok(project.make("migration", "MSG=add words"))
    ok(project.make("migrate"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
    ok(project.make("migration-check"))

    project.edit("app/models/square.py", "IN (1, 2)", "IN (1, 3)")
    checked = project.alembic("check")
    assert checked.returncode
    assert "small" in checked.stdout
    ok(project.make("migration", "MSG=other words"))  # drops and adds it
    ok(project.make("migrate"))
    ok(project.make("migration-check"))


NUMBERED = '''\
"""Numbered by the server."""

from sqlalchemy import Identity, Integer
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Ticket(Base):
    """One of a queue."""

    id: Mapped[int] = mapped_column(Integer(), primary_key=True)
    seat: Mapped[int]
'''


AS_IDENTITY = NUMBERED.replace("Integer(), primary", "Integer(), Identity(), primary")


@pytest.mark.long
def test_a_serial_key_becomes_an_identity_and_back_and_goes_on_counting(
    postgresql_project: Project,
) -> None:
    project = postgresql_project
    for number, text in enumerate((NUMBERED, AS_IDENTITY, NUMBERED)):
        project.write("app/models/ticket.py", text)
        ok(project.make("migration", f"MSG=step {number}"))
        ok(project.make("migrate"))
        project.sql("INSERT INTO tickets (seat) VALUES (1)")
        ok(project.make("migration-check"))
    assert project.sql("SELECT id FROM tickets ORDER BY id") == [(1,), (2,), (3,)]
    ok(project.make("migration-down"))
    project.sql("INSERT INTO tickets (seat) VALUES (1)")
    ok(project.make("migration-down"))
    project.sql("INSERT INTO tickets (seat) VALUES (1)")
    assert project.sql("SELECT max(id) FROM tickets") == [(5,)]
