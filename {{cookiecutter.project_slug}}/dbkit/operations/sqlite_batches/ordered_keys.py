"""UNIQUE constraints and primary keys as they are: SQLAlchemy does not reflect COLLATE and DESC.

https://www.sqlite.org/syntax/indexed-column.html
"""

from collections.abc import Iterator
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Row, Table, UniqueConstraint
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import conv

from dbkit.operations.sqlite_batches.master import Master
from dbkit.schema.sqlite_sql import Statement

CONFLICT = "sqlite_on_conflict"  # the argument of a constraint
ORDERS = "orders"  # in the `info` of a constraint: what stands behind each of its columns


class OrderedUnique(UniqueConstraint):
    """A UNIQUE constraint whose columns have a collation or direction of their own."""


@compiles(OrderedUnique)
def _write(constraint: OrderedUnique, compiler: Any, **keywords: Any) -> str:
    names = [compiler.preparer.quote(column.name) for column in constraint.columns]
    ordered = map("{}{}".format, names, constraint.info[ORDERS])
    text: str = compiler.visit_unique_constraint(constraint, **keywords)
    return text.replace(f"UNIQUE ({', '.join(names)})", f"UNIQUE ({', '.join(ordered)})", 1)


def unique_constraints(statement: Statement, master: Master) -> Iterator[UniqueConstraint]:
    """Yield the UNIQUE constraints of a table, which are to be appended to one."""
    for key in master.keys("u"):
        columns = [row.name for row in key]
        names = ("UNIQUE", tuple(each.lower() for each in columns))
        name, conflict = statement.names.get(names), statement.conflicts.get(names)
        orders = [_order(row, statement, master) for row in key]
        kind = OrderedUnique if any(orders) else UniqueConstraint
        constraint = kind(*columns, name=conv(name) if name else None)
        if any(orders):
            constraint.info[ORDERS] = orders
        if conflict:
            constraint.dialect_kwargs[CONFLICT] = conflict
        yield constraint


def keep_order(table: Table, statement: Statement, master: Master) -> None:
    """Replace what was reflected of UNIQUE, which lacks that of columns with unusual names, too.

    Raises:
        CommandError: the primary key has an order, which a copy would lose.
    """
    for constraint in [*table.constraints]:
        if isinstance(constraint, UniqueConstraint):
            table.constraints.remove(constraint)
    for constraint in unique_constraints(statement, master):
        table.append_constraint(constraint)
    for key in master.keys("pk"):
        if any(_order(row, statement, master) for row in key):
            raise CommandError(
                f"the primary key of table {table.name} has COLLATE or DESC, which a batch would"
                " lose: create the new table and copy its rows with op.execute; nothing was changed"
            )


def _order(row: Row[Any], statement: Statement, master: Master) -> str:
    """Return the collation, unless it is the column's own, and the direction of a column."""
    own = statement.columns.get(row.name.lower(), {}).get("collation", "BINARY")
    collation = "" if row.coll.upper() == own else f" COLLATE {master.quote(row.coll)}"
    return f"{collation}{' DESC' if row.desc else ''}"
