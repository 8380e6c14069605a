"""Changes of models that no revision can be written for, or none that is right, on PostgreSQL."""

import re

from support.database_state import write_revision
from support.projects import Project, ok

GADGET = '''\
"""A model of a test."""

from sqlalchemy import Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel


class Gadget(BaseModel):
    """Something with a size."""

    name: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(Integer)
'''
OPTIONS = '    __table_args__ = {"postgresql_partition_by": "HASH (id)"}\n'
MODEL = "app/models/gadget.py"


def add_gadgets(project: Project, *upgrade: str, downgrade: str = "pass") -> None:
    """Write the model, its revision, and one of statements after it; none runs on a real database."""
    project.write(MODEL, GADGET)
    ok(project.make("migration", "MSG=add gadgets"))
    [first] = project.revisions("add_gadgets")
    found = re.search(r'^revision: str = "(\w+)"', first.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    if upgrade:
        write_revision(project, "by_hand", *upgrade, after=found[1], downgrade=downgrade)


def forget_gadgets(project: Project) -> None:
    """Remove the model and all revisions but the first."""
    for path in project.revisions():
        path.unlink()
    (project.path / MODEL).unlink(missing_ok=True)


def drop_what_a_view_has(project: Project) -> None:
    """The upgrade fails."""
    statement = 'op.execute("CREATE VIEW sizes AS SELECT size FROM gadgets")'
    add_gadgets(project, statement, downgrade='op.execute("DROP VIEW sizes")')
    project.edit(MODEL, "    size: Mapped[int] = mapped_column(Integer)\n", "")


def drop_what_is_published(project: Project) -> None:
    """The downgrade makes the table anew, and publishes it no more."""
    statement = 'op.execute("CREATE PUBLICATION sold FOR TABLE gadgets")'
    add_gadgets(project, statement, downgrade='op.execute("DROP PUBLICATION sold")')
    (project.path / MODEL).unlink()


def partition(project: Project) -> None:
    """Nothing can be written."""
    add_gadgets(project)
    project.edit(MODEL, "    name: Mapped", f"{OPTIONS}    name: Mapped")


def partition_and_add(project: Project) -> None:
    """A part of it can be written."""
    partition(project)
    project.edit(MODEL, "    size:", "    more: Mapped[int] = mapped_column(Integer)\n    size:")


def use_what_is_not_there(project: Project) -> None:
    """The models' tables cannot be made."""
    project.write(MODEL, GADGET.replace("(Integer)", '(Integer, server_default=text("nonsense()"))'))
