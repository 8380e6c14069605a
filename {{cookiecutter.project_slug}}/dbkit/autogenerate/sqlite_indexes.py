"""Indexes of SQLite that are made anew under the same name, and that reflection does not see.

SQLAlchemy skips indexes over expressions, so Alembic creates the new one and drops none.
"""

from alembic.operations import ops

from dbkit.autogenerate.statements import Statement
from dbkit.autogenerate.two_pictures import TwoPictures


def drop_replaced_indexes(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Drop, before all else, indexes whose names are taken by new ones."""
    changes = [
        op for table in upgrade.ops if isinstance(table, ops.ModifyTableOps) for op in table.ops
    ]
    dropped = {op.index_name for op in changes if isinstance(op, ops.DropIndexOp)}
    for op in changes:
        old = pictures.found.objects.get(f"index {getattr(op, 'index_name', None)}")
        if isinstance(op, ops.CreateIndexOp) and old is not None and op.index_name not in dropped:
            quoted = pictures.dialect.identifier_preparer.quote(str(op.index_name))
            drop = Statement(f"DROP INDEX {quoted}", str(old.definition["definition"]))
            upgrade.ops.insert(0, drop)
