"""What Alembic's operations cannot write on PostgreSQL, or lose."""

from alembic.operations import ops

from dbkit.autogenerate.two_pictures import TwoPictures

INCLUDE = "postgresql_include"


def leave_to_sql(upgrade: ops.UpgradeOps) -> None:
    """Take out operations that could not run or be taken back; `mends` adds SQL instead.

    One of a unique constraint with INCLUDE knows no columns but those of the key.
    """
    for table in upgrade.ops:
        if isinstance(table, ops.ModifyTableOps):
            names = {_name(op) for op in table.ops if _is_unique_with_include(op)}
            table.ops = [op for op in table.ops if _name(op) not in names]
            for op in table.ops:
                if isinstance(op, ops.AlterColumnOp):  # a word of MySQL's, with a warning elsewhere
                    op.kw.pop("autoincrement", None)
    upgrade.ops = [
        op for op in upgrade.ops if not (isinstance(op, ops.OpContainer) and op.is_empty())
    ]


def keep_partitioning(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Let the downgrade make a dropped table partitioned, as it was: nothing reflects that."""
    for op in upgrade.ops:
        if isinstance(op, ops.DropTableOp):
            found, _ = pictures.definitions("table", op.schema, op.table_name)
            if found is not None and "partitioned" in found:
                op.table_kw["postgresql_partition_by"] = found["partitioned"]


def _is_unique_with_include(op: ops.MigrateOperation) -> bool:
    if isinstance(op, ops.DropConstraintOp) and op.constraint_type == "unique":
        op = op.reverse()
    return isinstance(op, ops.CreateUniqueConstraintOp) and bool(op.kw.get(INCLUDE))


def _name(op: ops.MigrateOperation) -> str | None:
    is_constraint = isinstance(op, ops.AddConstraintOp | ops.DropConstraintOp)
    return str(getattr(op, "constraint_name", None)) if is_constraint else None
