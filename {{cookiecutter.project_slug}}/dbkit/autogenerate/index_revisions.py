"""Indexes of existing tables are created and dropped CONCURRENTLY, in a revision of their own.

A revision in autocommit does nothing else (`dbkit.transactions`). If autogenerate found both kinds
of changes, one command writes two files: first the rest, then the indexes, which may be those of
new columns. Downgrades run in the opposite order.
"""

from collections import defaultdict
from collections.abc import Iterator

from alembic.operations import ops
from alembic.util import rev_id
from sqlalchemy import Column, ForeignKeyConstraint, MetaData
from sqlalchemy import Index as SQLIndex

IndexOp = ops.CreateIndexOp | ops.DropIndexOp


def separate_indexes(directives: list[ops.MigrationScript], models: MetaData) -> None:
    """Move such indexes out of the one directive, into a second one that revises it."""
    [script] = directives
    [upgrade] = script.upgrade_ops_list
    [downgrade] = script.downgrade_ops_list
    indexes = _take_indexes(upgrade, models)
    if not indexes:
        return
    if upgrade.is_empty():
        upgrade.ops = [*indexes]
        upgrade.reverse_into(downgrade)
        return
    upgrade.reverse_into(downgrade)
    second = ops.UpgradeOps([*indexes])
    directives.append(
        ops.MigrationScript(
            rev_id=rev_id(),
            message=f"{script.message} indexes",
            upgrade_ops=second,
            downgrade_ops=second.reverse(),
            head=script.rev_id,
            version_path=script.version_path,
        )
    )


def _take_indexes(upgrade: ops.UpgradeOps, models: MetaData) -> list[IndexOp]:
    """Remove from `upgrade` the index operations that are better done concurrently."""
    # A table that this revision creates or drops has no rows that anybody waits for.
    skipped = {
        _full_name(table.schema, table.table_name)
        for table in upgrade.ops
        if isinstance(table, ops.CreateTableOp | ops.DropTableOp)
    }
    # https://www.postgresql.org/docs/current/ddl-partitioning.html: not on a partitioned table.
    tables = models.tables.items()
    skipped |= {name for name, table in tables if table.kwargs.get("postgresql_partition_by")}
    referred = set(_referred_tables(upgrade))
    taken: list[IndexOp] = []
    changes = [table for table in upgrade.ops if isinstance(table, ops.ModifyTableOps)]
    of_table: dict[str, list[ops.MigrateOperation]] = defaultdict(list)
    for table in changes:
        of_table[_full_name(table.schema, table.table_name)] += table.ops
    for table in changes:
        name = _full_name(table.schema, table.table_name)
        if name in skipped:
            continue
        here = [
            op
            for op in table.ops
            if isinstance(op, IndexOp)
            and not _must_stay(op, of_table[name], is_referred=name in referred)
        ]
        table.ops = [op for op in table.ops if op not in here]
        taken += here
    upgrade.ops = [
        op for op in upgrade.ops if not (isinstance(op, ops.OpContainer) and op.is_empty())
    ]
    for op in taken:
        op.kw["postgresql_concurrently"] = True
    return taken


def _must_stay(op: IndexOp, others: list[ops.MigrateOperation], *, is_referred: bool) -> bool:
    """Tell whether another change of its table needs the index in the same revision."""
    if op.info.get("stays"):  # an enum type in its definition gets other values
        return True
    if isinstance(op, ops.CreateIndexOp):
        return is_referred and bool(op.unique)  # a new foreign key may refer to its columns
    constraints = [other for other in others if isinstance(other, ops.AddConstraintOp)]
    new = [getattr(constraint, "constraint_name", None) for constraint in constraints]
    dropped = {other.column_name for other in others if isinstance(other, ops.DropColumnOp)}
    return op.index_name in new or (bool(dropped) and _may_use(op.to_index(), dropped))


def _may_use(index: SQLIndex, columns: set[str]) -> bool:
    """Tell whether a column is in the index, or may be in SQL of it, which is not parsed here."""
    has_sql = any(not isinstance(expression, Column) for expression in index.expressions)
    has_sql |= index.kwargs.get("postgresql_where") is not None
    has_sql |= bool(index.kwargs.get("postgresql_include"))
    return has_sql or any(column.name in columns for column in index.columns)


def _referred_tables(upgrade: ops.UpgradeOps) -> Iterator[str]:
    """Yield the tables that new foreign keys refer to."""
    for table in upgrade.ops:
        for op in table.ops if isinstance(table, ops.ModifyTableOps) else ():
            if isinstance(op, ops.CreateForeignKeyOp):
                yield _full_name(op.kw.get("referent_schema"), op.referent_table)
        for item in table.columns if isinstance(table, ops.CreateTableOp) else ():
            if isinstance(item, ForeignKeyConstraint):
                target = item.elements[0].target_tokens
                yield _full_name(target.schema, target.table_name)


def _full_name(schema: str | None, table: str) -> str:
    return f"{schema}.{table}" if schema else table
