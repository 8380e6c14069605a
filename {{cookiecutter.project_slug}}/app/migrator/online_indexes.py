"""What autogenerate writes about indexes of tables that exist: CONCURRENTLY, in a file of its own.

A revision that commits as it goes does nothing else (`kinds.py`). So what autogenerate found goes
into two files of one command when it is of both kinds: first the rest, then the indexes, which may
be those of new columns. Downgrades go through both from the other end.
"""

from alembic.operations import ops
from alembic.util import rev_id

Index = ops.CreateIndexOp | ops.DropIndexOp


def separate(directives: list[ops.MigrationScript]) -> None:
    """Take such indexes out of the revision that is about to be written, into one behind it."""
    [script] = directives
    [upgrade] = script.upgrade_ops_list
    [downgrade] = script.downgrade_ops_list
    indexes = _take(upgrade)
    if not indexes:
        return
    if upgrade.is_empty():
        upgrade.ops = [*indexes]
        upgrade.reverse_into(downgrade)
        return
    upgrade.reverse_into(downgrade)
    behind = ops.UpgradeOps([*indexes])
    directives.append(
        ops.MigrationScript(
            rev_id=rev_id(),
            message=f"{script.message} indexes",
            upgrade_ops=behind,
            downgrade_ops=behind.reverse(),
            head=script.rev_id,
            version_path=script.version_path,
        )
    )


def _take(upgrade: ops.UpgradeOps) -> list[Index]:
    """Remove from `upgrade` what is better done concurrently, and return it."""
    # A table of this revision is empty or about to go.
    others = {
        (table.schema, table.table_name)
        for table in upgrade.ops
        if isinstance(table, ops.CreateTableOp | ops.DropTableOp)
    }
    taken: list[Index] = []
    for table in upgrade.ops:
        if isinstance(table, ops.ModifyTableOps) and (table.schema, table.table_name) not in others:
            gone = {op.column_name for op in table.ops if isinstance(op, ops.DropColumnOp)}
            found = [op for op in table.ops if isinstance(op, Index) and not _goes_with(op, gone)]
            table.ops = [op for op in table.ops if op not in found]
            taken += found
    upgrade.ops = [
        op for op in upgrade.ops if not (isinstance(op, ops.OpContainer) and op.is_empty())
    ]
    for op in taken:
        op.kw["postgresql_concurrently"] = True
    return taken


def _goes_with(op: Index, columns: set[str]) -> bool:
    """Whether it is dropped because of a column that the first revision drops."""
    if isinstance(op, ops.CreateIndexOp):
        return False
    return any(column.name in columns for column in op.to_index().columns)
