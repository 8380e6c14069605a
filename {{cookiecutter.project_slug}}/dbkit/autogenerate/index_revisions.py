"""What autogenerate writes about indexes of tables that exist: CONCURRENTLY, in a file of its own.

A revision that commits as it goes does nothing else (`kinds.py`). So what autogenerate found goes
into two files of one command when it is of both kinds: first the rest, then the indexes, which may
be those of new columns. Downgrades go through both from the other end.
"""

from collections.abc import Iterator

from alembic.operations import ops
from alembic.util import rev_id
from sqlalchemy import Column, MetaData
from sqlalchemy import Index as SQLIndex

Index = ops.CreateIndexOp | ops.DropIndexOp


def separate_indexes(directives: list[ops.MigrationScript], models: MetaData) -> None:
    """Take such indexes out of the revision that is about to be written, into one behind it."""
    [script] = directives
    [upgrade] = script.upgrade_ops_list
    [downgrade] = script.downgrade_ops_list
    indexes = _take(upgrade, models)
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


def _take(upgrade: ops.UpgradeOps, models: MetaData) -> list[Index]:
    """Remove from `upgrade` what is better done concurrently, and return it."""
    # A table of this revision is empty or about to go.
    others = {
        _full_name(table.schema, table.table_name)
        for table in upgrade.ops
        if isinstance(table, ops.CreateTableOp | ops.DropTableOp)
    }
    # PostgreSQL makes no index of a partitioned table concurrently.
    tables = models.tables.items()
    others |= {name for name, table in tables if table.kwargs.get("postgresql_partition_by")}
    referred = set(_referred(upgrade))
    taken: list[Index] = []
    for table in upgrade.ops:
        if not isinstance(table, ops.ModifyTableOps):
            continue
        name = _full_name(table.schema, table.table_name)
        if name not in others:
            found = [op for op in table.ops if isinstance(op, Index)]
            found = [
                op for op in found if not _belongs(op, table.ops, is_referred=name in referred)
            ]
            table.ops = [op for op in table.ops if op not in found]
            taken += found
    upgrade.ops = [
        op for op in upgrade.ops if not (isinstance(op, ops.OpContainer) and op.is_empty())
    ]
    for op in taken:
        op.kw["postgresql_concurrently"] = True
    return taken


def _belongs(op: Index, others: list[ops.MigrateOperation], *, is_referred: bool) -> bool:
    """Whether what else happens to its table needs it in the same revision, in Alembic's order."""
    if isinstance(op, ops.CreateIndexOp):
        return is_referred and bool(op.unique)  # what a new foreign key refers to
    constraints = [other for other in others if isinstance(other, ops.AddConstraintOp)]
    new = [getattr(constraint, "constraint_name", None) for constraint in constraints]
    gone = {other.column_name for other in others if isinstance(other, ops.DropColumnOp)}
    return op.index_name in new or (bool(gone) and _may_use(op.to_index(), gone))


def _may_use(index: SQLIndex, columns: set[str]) -> bool:
    """Whether one of the columns is in the index, or in a text of it, which nobody reads here."""
    texts = any(not isinstance(expression, Column) for expression in index.expressions)
    texts |= index.kwargs.get("postgresql_where") is not None
    texts |= bool(index.kwargs.get("postgresql_include"))
    return texts or any(column.name in columns for column in index.columns)


def _referred(upgrade: ops.UpgradeOps) -> Iterator[str]:
    """The tables that new foreign keys of tables that exist refer to."""
    for table in upgrade.ops:
        for op in table.ops if isinstance(table, ops.ModifyTableOps) else ():
            if isinstance(op, ops.CreateForeignKeyOp):
                yield _full_name(op.kw.get("referent_schema"), op.referent_table)


def _full_name(schema: str | None, table: str) -> str:
    return f"{schema}.{table}" if schema else table
