"""What PostgreSQL wants dropped before a column's type changes, and made again afterwards.

https://www.postgresql.org/docs/current/sql-altertable.html
"""

import re
from collections.abc import Iterator

from alembic.operations import ops
from sqlalchemy import ForeignKeyConstraint, Table

from dbkit.autogenerate.casts import CastColumn
from dbkit.autogenerate.computed_columns import replace_column
from dbkit.autogenerate.table_changes import operations_in_tables
from dbkit.autogenerate.two_pictures import TwoPictures, final_name

Retyped = dict[tuple[str, ...], ops.AlterColumnOp]  # by the keys of columns


def renew_dependents(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Drop and add computed columns and foreign keys that would not let a type change."""
    scope = pictures.scope
    retyped: Retyped = {
        scope.key("column", op.schema, op.table_name, op.column_name): op
        for op in operations_in_tables(upgrade)
        if isinstance(op, ops.AlterColumnOp) and op.modify_type is not None
    }
    _renew_computed(upgrade, retyped, pictures)
    upgrade.ops += _foreign_keys(retyped, pictures)


def _renew_computed(upgrade: ops.UpgradeOps, retyped: Retyped, pictures: TwoPictures) -> None:
    """Replace columns that stay computed as they are, from one whose type changes."""
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
            if is_same and any(re.search(rf"\b{re.escape(name)}\b", expression) for name in names):
                replace_column(upgrade, column, found)


def _foreign_keys(retyped: Retyped, pictures: TwoPictures) -> Iterator[ops.ModifyTableOps]:
    """Yield changes of keys whose columns have, for a while, types that do not fit together."""
    casts = {key for key, op in retyped.items() if isinstance(op, CastColumn)}
    scope = pictures.scope
    for table in scope.tables if casts else ():
        for key in sorted(table.foreign_key_constraints, key=lambda one: str(one.name)):
            name = final_name(key, pictures.dialect)
            columns = {
                scope.key("column", owner.schema, owner.name, column)
                for owner, column in _columns_of(key, table)
            }
            if name is None or casts.isdisjoint(columns):
                continue
            found, wanted = pictures.definitions("constraint", table.schema, table.name, name)
            if found is not None and found == wanted:
                drop, add = (
                    one.from_constraint(key) for one in (ops.DropConstraintOp, ops.AddConstraintOp)
                )
                yield ops.ModifyTableOps(table.name, [drop, add], schema=table.schema)


def _columns_of(key: ForeignKeyConstraint, table: Table) -> Iterator[tuple[Table, str]]:
    for element in key.elements:
        yield table, element.parent.name
        yield element.column.table, element.column.name
