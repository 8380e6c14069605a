"""Changes of models that no revision can be written for, or none that is right, on PostgreSQL."""

from support.database_state import write_revision
from support.projects import Project

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
# As autogenerate writes it.
TIME = 'sa.DateTime(timezone=True), server_default=sa.text("CURRENT_TIMESTAMP"), nullable=False'
CREATE = f"""op.create_table(
    "gadgets",
    sa.Column("name", sa.String(length=80), nullable=False),
    sa.Column("size", sa.Integer(), nullable=False),
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("created_at", {TIME}),
    sa.Column("updated_at", {TIME}),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_gadgets")),
)"""
OPTIONS = '    __table_args__ = {"postgresql_partition_by": "HASH (id)"}\n'
MODEL = "app/models/gadget.py"


def add_gadgets(project: Project, *upgrade: str, downgrade: str = "pass") -> None:
    """Write the model, its revision, and one of statements after it; none runs on a real database."""
    project.write(MODEL, GADGET)
    write_revision(project, "add_gadgets", CREATE, downgrade='op.drop_table("gadgets")')
    if upgrade:
        write_revision(project, "by_hand", *upgrade, after="add_gadgets", downgrade=downgrade)


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
