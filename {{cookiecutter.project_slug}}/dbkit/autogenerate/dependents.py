"""What PostgreSQL wants dropped before a column changes its type or goes, and made again then.

https://www.postgresql.org/docs/current/sql-altertable.html
"""

import re
from collections.abc import Iterator

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from dbkit.autogenerate.casts import CastColumn
from dbkit.autogenerate.computed_columns import replace_column, replaced_columns
from dbkit.autogenerate.table_changes import changes_of, operations_in_tables
from dbkit.autogenerate.two_pictures import TwoPictures, final_name

Key = tuple[str, ...]  # of a column
Retyped = dict[Key, ops.AlterColumnOp]


def renew_dependents(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Drop and add what would not let a column's type change, or the column go and come back.

    These are columns that are computed from it, keys that it is a part of, and foreign keys.
    """
    scope = pictures.scope
    retyped: Retyped = {
        scope.key("column", op.schema, op.table_name, op.column_name): op
        for op in operations_in_tables(upgrade)
        if isinstance(op, ops.AlterColumnOp) and op.modify_type is not None
    }
    again = [column for _, column in replaced_columns(pictures)]
    again += _renew_computed(upgrade, retyped, pictures)
    replaced = {
        scope.key("column", column.table.schema, column.table.name, column.name) for column in again
    }
    _renew_keys(upgrade, replaced, pictures)
    casts = {key for key, op in retyped.items() if isinstance(op, CastColumn)}
    upgrade.ops += _foreign_keys(casts | replaced, pictures)


def _renew_computed(
    upgrade: ops.UpgradeOps, retyped: Retyped, pictures: TwoPictures
) -> list[Column[object]]:
    """Replace columns that stay computed as they are, from one whose type changes."""
    replaced = []
    for table in pictures.scope.tables:
        names = [
            op.column_name
            for op in retyped.values()
            if (op.schema, op.table_name) == (table.schema, table.name)
        ]
        for column in table.columns if names else ():
            found, wanted = pictures.definitions("column", table.schema, table.name, column.name)
            if found is None or wanted is None or column.computed is None:
                continue
            expression = str(found.get("computed"))
            is_same = expression == wanted.get("computed")
            if is_same and any(_is_in(expression, name) for name in names):
                replace_column(upgrade, column, found)
                replaced.append(column)
    return replaced


def _is_in(expression: str, column: str) -> bool:
    quoted = column.replace('"', '""')
    return f'"{quoted}"' in expression or bool(re.search(rf"\b{re.escape(column)}\b", expression))


def _renew_keys(upgrade: ops.UpgradeOps, replaced: set[Key], pictures: TwoPictures) -> None:
    """Drop and add what is unique by a replaced column: a foreign key may refer to it.

    It would go with the column, if none did.
    """
    scope = pictures.scope
    for table in scope.tables if replaced else ():
        for key in _unique(table):
            columns = {
                scope.key("column", table.schema, table.name, one.name) for one in key.columns
            }
            if not replaced.isdisjoint(columns) and _stays(key, table, pictures):
                changes_of(upgrade, table).ops += _renewal(key)


def _unique(table: Table) -> Iterator[PrimaryKeyConstraint | UniqueConstraint | Index]:
    keys = (PrimaryKeyConstraint, UniqueConstraint)
    found = [one for one in table.constraints if isinstance(one, keys)]
    yield from sorted(found, key=lambda one: str(one.name))
    yield from sorted((one for one in table.indexes if one.unique), key=lambda one: str(one.name))


def _stays(
    item: PrimaryKeyConstraint | UniqueConstraint | ForeignKeyConstraint | Index,
    table: Table,
    pictures: TwoPictures,
) -> bool:
    """Tell whether both sides say the same of it: what differs, other operations change."""
    name = final_name(item, pictures.dialect)
    if name is None:  # which the server has made, and no operation could tell
        return False
    is_index = isinstance(item, Index)  # which has its schema before its name, and no table
    names = (name,) if is_index else (table.name, name)
    kind = "index" if is_index else "constraint"
    found, wanted = pictures.definitions(kind, table.schema, *names)
    return found is not None and found == wanted


def _renewal(
    item: PrimaryKeyConstraint | UniqueConstraint | ForeignKeyConstraint | Index,
) -> list[ops.MigrateOperation]:
    if isinstance(item, Index):
        return [ops.DropIndexOp.from_index(item), ops.CreateIndexOp.from_index(item)]
    return [ops.DropConstraintOp.from_constraint(item), ops.AddConstraintOp.from_constraint(item)]


def _foreign_keys(touched: set[Key], pictures: TwoPictures) -> Iterator[ops.ModifyTableOps]:
    """Yield changes of keys whose columns, for a while, are not there or do not fit together."""
    scope = pictures.scope
    for table in scope.tables if touched else ():
        for key in sorted(table.foreign_key_constraints, key=lambda one: str(one.name)):
            columns = {
                scope.key("column", owner.schema, owner.name, column)
                for owner, column in _columns_of(key, table)
            }
            if not touched.isdisjoint(columns) and _stays(key, table, pictures):
                yield ops.ModifyTableOps(table.name, _renewal(key), schema=table.schema)


def _columns_of(key: ForeignKeyConstraint, table: Table) -> Iterator[tuple[Table, str]]:
    for element in key.elements:
        yield table, element.parent.name
        yield element.column.table, element.column.name


@renderers.dispatch_for(ops.CreatePrimaryKeyOp, replace=True)
def _render(_context: AutogenContext, op: ops.CreatePrimaryKeyOp) -> str:
    """https://alembic.sqlalchemy.org/en/latest/ops.html: Alembic drops one, and writes none."""
    name, table, columns = str(op.constraint_name), str(op.table_name), [*map(str, op.columns)]
    schema = f", schema={str(op.schema)!r}" if op.schema else ""
    return f"op.create_primary_key(op.f({name!r}), {table!r}, {columns!r}{schema})"
