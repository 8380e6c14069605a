"""Puts operations into an order that works, in which the reverse order works for the downgrade.

Alembic creates and drops tables in the order of its sets, with their foreign keys inside. A key
may refer to a table, a column or a unique constraint that comes later, and back again.
"""

from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from alembic.operations import ops
from alembic.util import CommandError
from sqlalchemy import ForeignKeyConstraint

from dbkit.autogenerate.statements import Statement

TableOp = ops.CreateTableOp | ops.DropTableOp
Name = tuple[str | None, str]


def order(upgrade: ops.UpgradeOps, *, is_sqlite: bool) -> None:
    """Sort the operations of an upgrade; what is none of Alembic's for tables stays in front.

    On SQLite, where a table may refer to what is not there yet, changes of a table stay together,
    because each group of them copies it.
    """
    created = [op for op in upgrade.ops if isinstance(op, ops.CreateTableOp)]
    dropped = [op for op in upgrade.ops if isinstance(op, ops.DropTableOp)]
    changes = [op for op in upgrade.ops if isinstance(op, ops.ModifyTableOps)]
    others = [op for op in upgrade.ops if not isinstance(op, TableOp | ops.ModifyTableOps)]
    if is_sqlite:
        upgrade.ops = [*others, *created, *changes, *dropped]
        return
    changed: set[Name] = {(op.schema, op.table_name) for op in changes}
    created, keys = _without_keys(created, changed)
    reversed_, old_keys = _without_keys([op.reverse() for op in reversed(dropped)], changed)
    drop_keys = [_within_table(key.reverse()) for key in old_keys]
    upgrade.ops = [
        *others,
        *drop_keys,
        *_part(changes, _is_foreign_key_dropped),
        *_part(changes, lambda op: isinstance(op, ops.DropIndexOp | ops.DropConstraintOp)),
        *created,
        *_part(changes, lambda op: isinstance(op, Statement)),  # a column is computed no more
        *_part(changes, lambda op: isinstance(op, ops.DropColumnOp) and _is_computed(op)),
        *_part(changes, lambda op: isinstance(op, ops.DropColumnOp)),
        *_part(changes, lambda op: not _is_of_another_part(op)),
        *_part(changes, lambda op: isinstance(op, ops.AddColumnOp)),
        *_part(changes, lambda op: isinstance(op, ops.CreateIndexOp)),
        *_part(changes, lambda op: isinstance(op, ops.AddConstraintOp) and not _is_foreign_key(op)),
        *(_within_table(key) for key in keys),
        *_part(changes, _is_foreign_key),
        *(op.reverse() for op in reversed(reversed_)),
    ]


def _part(
    changes: Iterable[ops.ModifyTableOps], belongs: Callable[[ops.MigrateOperation], bool]
) -> Iterator[ops.ModifyTableOps]:
    """Yield, table by table, those changes that belong together; takes them out of `changes`."""
    for table in changes:
        part = [op for op in table.ops if belongs(op)]
        table.ops = [op for op in table.ops if op not in part]
        if part:
            yield ops.ModifyTableOps(table.table_name, part, schema=table.schema)


def _is_foreign_key(op: ops.MigrateOperation) -> bool:
    return isinstance(op, ops.CreateForeignKeyOp)


def _is_foreign_key_dropped(op: ops.MigrateOperation) -> bool:
    return isinstance(op, ops.DropConstraintOp) and op.constraint_type == "foreignkey"


def _is_of_another_part(op: ops.MigrateOperation) -> bool:
    if isinstance(op, ops.AddColumnOp):
        return _is_computed(op)  # from others, which have their types then
    return isinstance(op, ops.CreateIndexOp | ops.AddConstraintOp)


def _is_computed(op: ops.AddColumnOp | ops.DropColumnOp) -> bool:
    column = op.column if isinstance(op, ops.AddColumnOp) else op.to_column()
    return column.computed is not None


def _within_table(op: ops.MigrateOperation) -> ops.ModifyTableOps:
    """Return an operation as Alembic has those of constraints, within one for its table."""
    if isinstance(op, ops.CreateForeignKeyOp):
        return ops.ModifyTableOps(op.source_table, [op], schema=op.kw.get("source_schema"))
    assert isinstance(op, ops.DropConstraintOp)  # noqa: S101 - for the type checker
    return ops.ModifyTableOps(op.table_name, [op], schema=op.schema)


def _without_keys(
    created: list[ops.CreateTableOp], changed: set[Name]
) -> tuple[list[ops.CreateTableOp], list[ops.CreateForeignKeyOp]]:
    """Return new tables, each after those that it refers to, and the keys that have to wait.

    These are keys of a cycle, keys that the models want to be added later (`use_alter`), and keys
    to one of the `changed` tables, whose columns or unique constraints may be new.
    """
    tables = {(op.schema, op.table_name): op for op in created}
    keys = {name: list(_keys_of(op)) for name, op in tables.items()}
    sorted_names, late = _sorted({name: [_target(key) for key in keys[name]] for name in tables})
    waiting: list[ops.CreateForeignKeyOp] = []
    for name, op in tables.items():
        for key in keys[name]:
            target = _target(key)
            is_early = target in changed and target not in tables
            if key.use_alter or (name, target) in late or is_early:
                waiting.append(_as_operation(key))
                op.columns = [item for item in op.columns if item is not key]
    return [tables[name] for name in sorted_names], waiting


def _as_operation(key: ForeignKeyConstraint) -> ops.CreateForeignKeyOp:
    op = ops.AddConstraintOp.from_constraint(key)
    assert isinstance(op, ops.CreateForeignKeyOp)  # noqa: S101 - for the type checker
    return op


def _keys_of(op: ops.CreateTableOp) -> Iterator[ForeignKeyConstraint]:
    return (item for item in op.columns if isinstance(item, ForeignKeyConstraint))


def _target(key: ForeignKeyConstraint) -> Name:
    """Return schema and name of the table that a key refers to, which need not be at hand."""
    tokens = key.elements[0].target_tokens
    if "." in f"{tokens.table_name}{tokens.column_name}":
        raise CommandError(
            f"table {key.table.fullname}: its foreign key refers to {tokens.table_name} "
            f"({tokens.column_name}), and Alembic cannot write one to a name with a dot"
        )
    return tokens.schema, tokens.table_name


def _sorted(refers: dict[Name, list[Name]]) -> tuple[list[Name], set[tuple[Name, Name]]]:
    """Return names after those that they refer to, and the references that no order allows."""
    graph = {
        name: [other for other in others if other in refers and other != name]
        for name, others in refers.items()
    }
    late: set[tuple[Name, Name]] = set()
    while True:
        try:
            return list(TopologicalSorter(graph).static_order()), late
        except CycleError as error:
            # The cycle as a list whose neighbours refer to one another: the second to the first.
            first, second = error.args[1][:2]
            late.add((second, first))
            graph[second].remove(first)
