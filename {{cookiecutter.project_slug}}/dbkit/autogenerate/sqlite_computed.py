"""Drops and adds columns of SQLite that are computed in another way: that can be computed again.

https://www.sqlite.org/gencol.html
"""

from typing import Any

from alembic.operations import ops
from sqlalchemy import Column

from dbkit.autogenerate.computed_columns import reflected, replace_column, replaced_columns
from dbkit.autogenerate.table_changes import changes_of, take_old_type
from dbkit.autogenerate.two_pictures import TwoPictures


def write_replacements(upgrade: ops.UpgradeOps, pictures: TwoPictures) -> None:
    """Drop and add each column that is computed in another way, in one batch for each table.

    A column that is computed no more keeps its values.
    """
    for old, column in replaced_columns(pictures):
        if column.computed is None:
            changes = changes_of(upgrade, column.table)
            column_type = take_old_type(changes, column)
            found = reflected(column, old.definition, column_type, is_sqlite=True)
            changes.ops.insert(0, _computed_no_more(column.table.name, column, found))
        else:
            replace_column(upgrade, column, old.definition, is_sqlite=True)


def _computed_no_more(table: str, column: Column[Any], found: Column[Any]) -> ops.AlterColumnOp:
    """Return what a batch makes of a computed column, which then has a default or none."""
    is_new_type = found.type is not column.type
    return ops.AlterColumnOp(
        table,
        column.name,
        existing_type=found.type,
        modify_type=column.type if is_new_type else None,
        existing_nullable=found.nullable,
        modify_nullable=None if found.nullable == column.nullable else column.nullable,
        existing_server_default=found.computed,
        modify_server_default=column.server_default,
    )
