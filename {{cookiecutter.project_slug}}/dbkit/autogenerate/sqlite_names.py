"""Constraints on SQLite, which SQLAlchemy reads wrongly where names need quotes.

A UNIQUE constraint over a column with such a name it does not read at all.
"""

from collections.abc import Collection

from sqlalchemy import (
    Column,
    Connection,
    ForeignKeyConstraint,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from dbkit.operations.sqlite_batches import ordered_keys
from dbkit.operations.sqlite_batches.completion import complete_keys
from dbkit.operations.sqlite_batches.master import Master


def name_foreign_keys(connection: Connection, keys: Collection[ForeignKeyConstraint]) -> None:
    """Give reflected foreign keys of one table the names and properties that they have."""
    for key in keys:
        master = Master(connection, key.table.name, key.table.schema)
        complete_keys([key], master.statement(), master)


def unique_constraints(
    connection: Connection, items: Collection[SchemaItem]
) -> set[UniqueConstraint] | None:
    """Return the UNIQUE constraints of a table as they are.

    Args:
        items: constraints or indexes, one of which tells the table; without one, None comes back.
    """
    tables = (getattr(item, "table", None) for item in items)
    table = next((one for one in tables if isinstance(one, Table)), None)
    if table is None:
        return None
    master = Master(connection, table.name, table.schema)
    if not master.is_there:
        return None
    columns = sorted(master.declared_types())
    owner = Table(table.name, MetaData(), *map(Column, columns), schema=table.schema)
    constraints = {*ordered_keys.unique_constraints(master.statement(), master)}
    for constraint in constraints:
        owner.append_constraint(constraint)
    return constraints
