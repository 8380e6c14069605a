"""Dropped tables of SQLite, which the downgrade makes again as they were.

SQLAlchemy reflects them by regular expressions over their text, which miss some of it: UNIQUE and
the actions of foreign keys beside names with quotes, ON CONFLICT, CHECKs without names, and more.
"""

from collections.abc import Collection

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import Connection

from dbkit.autogenerate.statements import Statement
from dbkit.operations.sqlite_batches.master import Master
from dbkit.schema import Difference


class CreateAgain(ops.CreateTableOp):
    """Makes a dropped table, as reflected; by its own text where that is not what it was."""

    text = ""
    is_by_text = False


@renderers.dispatch_for(CreateAgain)
def _render(context: AutogenContext, op: CreateAgain) -> str:
    plain: ops.MigrateOperation = ops.CreateTableOp.from_table(op.to_table())
    if op.is_by_text:
        plain = Statement(op.text, "")
    rendered: str = renderers.dispatch(plain)(context, plain)
    return rendered


def keep_texts(downgrade: ops.DowngradeOps, connection: Connection) -> None:
    """Keep the text of each table that an upgrade drops with what makes it again."""
    for number, op in enumerate(downgrade.ops):
        if isinstance(op, ops.CreateTableOp):
            again = CreateAgain.from_table(op.to_table())
            assert isinstance(again, CreateAgain)  # noqa: S101 - for the type checker
            again.text = Master(connection, op.table_name, op.schema).statement().text
            downgrade.ops[number] = again


def use_texts(downgrade: ops.DowngradeOps, left: Collection[Difference]) -> bool:
    """Let tables that came back different be made by their own text.

    Args:
        left: what is different after the downgrade.

    Returns:
        Whether there were any.
    """
    objects = [one.first or one.second for one in left]
    tables = {one.parent or one.key for one in objects if one is not None}
    found = [
        op
        for op in downgrade.ops
        if isinstance(op, CreateAgain) and not op.is_by_text and f"table {op.table_name}" in tables
    ]
    for op in found:
        op.is_by_text = True
    return bool(found)
