"""Indexes of SQLite over expressions, which SQLAlchemy's reflection skips.

Alembic drops none of them: one that changes is created twice, and one that goes is still there when
the column that it uses goes.
"""

from alembic.operations import ops

from dbkit.autogenerate.statements import Statement
from dbkit.autogenerate.table_changes import operations_in_tables
from dbkit.autogenerate.two_pictures import TwoPictures


def replace_unseen_indexes(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Drop first what goes and what no operation drops; make last what takes its place."""
    changes = [*operations_in_tables(upgrade)]
    dropped = {op.index_name for op in changes if isinstance(op, ops.DropIndexOp)}
    created = {op.index_name for op in changes if isinstance(op, ops.CreateIndexOp)}
    gone = {f"table {op.table_name}" for op in upgrade.ops if isinstance(op, ops.DropTableOp)}
    for difference in pictures.differences():
        old, new = difference.first, difference.second
        if old is None or old.kind != "index" or old.parent in gone or old.name in dropped:
            continue
        quoted = pictures.dialect.identifier_preparer.quote(old.name)
        drop = f"DROP INDEX {quoted}"
        upgrade.ops.insert(0, Statement(drop, str(old.definition["definition"])))
        if new is not None and old.name not in created:
            upgrade.ops.append(Statement(str(new.definition["definition"]), drop))
