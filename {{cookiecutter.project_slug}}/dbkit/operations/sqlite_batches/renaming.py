"""Renames columns by SQLite itself, which does it in the texts of all that use them, too.

https://www.sqlite.org/lang_altertable.html#alter_table_rename_column
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import CheckConstraint, Column, Index, Table

from dbkit.operations.sqlite_batches.expressions import expression_of, plain
from dbkit.operations.sqlite_batches.master import Master


def rename_columns(
    master: Master,
    table: Table,
    renamed: Mapping[str, str],
    checks: Sequence[CheckConstraint],
    columns: Iterable[Column[object]],
) -> None:
    """Rename columns of a table before it is copied, and take expressions from its new text.

    Args:
        table: what is copied; its columns get the new names.
        renamed: new names by old ones.
        checks: those of the table, in the order of its text, for the copy.
        columns: those of the copy.
    """
    for old, new in renamed.items():
        master.connection.exec_driver_sql(
            f"ALTER TABLE {master.quoted} RENAME COLUMN {master.quote(old)} TO {master.quote(new)}"
        )
        table.columns[old].name = new
    if not renamed:
        return
    statement = master.statement()
    for check, (_, expression) in zip(checks, statement.checks, strict=bool(checks)):
        check.sqltext = plain(expression)
    for column in columns:
        said = statement.columns.get(column.name.lower(), {})
        if column.computed is not None and "computed" in said:
            column.computed.sqltext = expression_of(said["computed"])


def with_new_names(index: Index, renamed: Mapping[str, str]) -> Index:
    """Let a new index have a column's new name where the revision gave the old one."""
    for column in index.table.columns if index.table is not None else ():
        column.name = renamed.get(column.name, column.name)
    return index
