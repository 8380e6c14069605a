"""Revisions to measure with: every time the same ones."""

from pathlib import Path

BEGINNING = "5f3a9c1e7b24"  # the revision of every new project
COLUMNS = 8  # added to a table before the next one is created

TEMPLATE = '''\
"""{message}

Revision ID: {revision}
Revises: {previous}
Create Date: 2026-01-02 00:00:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "{revision}"
down_revision: str | Sequence[str] | None = "{previous}"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def write_revisions(folder: Path, count: int) -> None:
    """Write `count` files, which follow the one of a new project: tables, and columns and indexes in them."""
    previous = BEGINNING
    for number in range(count):
        revision = f"{number + 1:012x}"
        message, upgrade, downgrade = _step(*divmod(number, COLUMNS + 2))
        text = TEMPLATE.format(
            message=message, revision=revision, previous=previous, upgrade=upgrade, downgrade=downgrade
        )
        (folder / f"20260102_0000_{number:04}_{message.replace(' ', '_')}.py").write_text(text, "utf-8")
        previous = revision


def write_changes(folder: Path, count: int) -> None:
    """Write `count` files, an even number, after which the tables are those of a new project."""
    previous = BEGINNING
    add = 'op.add_column("users", sa.Column("scratch", sa.String(length=80), nullable=True))'
    drop = 'op.drop_column("users", "scratch")'
    for number in range(count):
        revision = f"{number + 1:012x}"
        upgrade, downgrade = (drop, add) if number % 2 else (add, drop)
        text = TEMPLATE.format(
            message="change users", revision=revision, previous=previous, upgrade=upgrade, downgrade=downgrade
        )
        (folder / f"20260102_0000_{number:04}_change_users.py").write_text(text, "utf-8")
        previous = revision


def _step(table: int, step: int) -> tuple[str, str, str]:
    """Message, upgrade and downgrade of a table's revision `step`."""
    name = f"benched_{table}"
    if step == 0:
        columns = 'sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id")'
        return (
            f"create {name}",
            f'op.create_table("{name}", {columns})',
            f'op.drop_table("{name}")',
        )
    if step > COLUMNS:
        index = f"ix_{name}"
        return (
            f"index {name}",
            f'op.create_index("{index}", "{name}", ["column_1", "column_2"])',
            f'op.drop_index("{index}", table_name="{name}")',
        )
    column = f"column_{step}"
    return (
        f"add {column} to {name}",
        f'op.add_column("{name}", sa.Column("{column}", sa.String(length=80), nullable=True))',
        f'op.drop_column("{name}", "{column}")',
    )


def model_source(count: int) -> str:
    """Return a module of `count` models with five columns each, beside those of the base class."""
    head = """\"\"\"Models to measure with.\"\"\"

from decimal import Decimal

from sqlalchemy import Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel
"""
    model = """

class Thing{number}(BaseModel):
    name: Mapped[str] = mapped_column(String(80), index=True)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    note: Mapped[str | None]
    amount: Mapped[int]
    is_active: Mapped[bool] = mapped_column(default=True)
"""
    return head + "".join(model.format(number=number) for number in range(count))
