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
from sqlalchemy.schema import SchemaItem, conv

from dbkit.operations.sqlite_batches.completion import CONFLICT, complete_keys
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
    statement = master.statement()
    found = [[row.name for row in key] for key in master.keys("u")]
    columns = {each for key in found for each in key}
    owner = Table(table.name, MetaData(), *map(Column, sorted(columns)), schema=table.schema)
    constraints = set()
    for key in found:
        names = ("UNIQUE", tuple(each.lower() for each in key))
        name, conflict = statement.names.get(names), statement.conflicts.get(names)
        constraint = UniqueConstraint(*key, name=conv(name) if name else None)
        if conflict:
            constraint.dialect_kwargs[CONFLICT] = conflict
        owner.append_constraint(constraint)
        constraints.add(constraint)
    return constraints
