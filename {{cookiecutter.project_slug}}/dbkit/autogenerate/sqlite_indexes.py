"""Indexes of SQLite over expressions, which SQLAlchemy's reflection skips.

Alembic drops none of them: one that changes is created twice, and one that goes is still there when
the column that it uses goes.
"""

from collections.abc import Iterator

from alembic.operations import ops

from dbkit.autogenerate.statements import Statement
from dbkit.autogenerate.two_pictures import TwoPictures


def drop_unseen_indexes(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Drop, before all else, indexes that go and that no operation drops."""
    dropped = {op.index_name for op in _changes(upgrade) if isinstance(op, ops.DropIndexOp)}
    created = {op.index_name for op in _changes(upgrade) if isinstance(op, ops.CreateIndexOp)}
    gone = {f"table {op.table_name}" for op in upgrade.ops if isinstance(op, ops.DropTableOp)}
    for difference in pictures.differences():
        old = difference.first
        if old is None or old.kind != "index" or old.parent in gone or old.name in dropped:
            continue
        if difference.second is None or old.name in created:
            quoted = pictures.dialect.identifier_preparer.quote(old.name)
            drop = Statement(f"DROP INDEX {quoted}", str(old.definition["definition"]))
            upgrade.ops.insert(0, drop)


def _changes(upgrade: ops.UpgradeOps) -> Iterator[ops.MigrateOperation]:
    return (
        op for table in upgrade.ops if isinstance(table, ops.ModifyTableOps) for op in table.ops
    )
