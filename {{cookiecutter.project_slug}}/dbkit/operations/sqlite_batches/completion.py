"""Gives a reflected table what SQLAlchemy's reflection of SQLite does not see.

https://docs.sqlalchemy.org/en/21/dialects/sqlite.html
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    Column,
    DefaultClause,
    Dialect,
    ForeignKeyConstraint,
    Table,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import conv
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from dbkit.operations.sqlite_batches.expressions import (
    as_default,
    expression_of,
    without_parameters,
)
from dbkit.operations.sqlite_batches.master import Master
from dbkit.operations.sqlite_batches.ordered_keys import CONFLICT, keep_order
from dbkit.schema.sqlite_sql import Statement
from dbkit.schema.sqlite_tokens import normalized

GENERATED = " GENERATED ALWAYS"  # which a pragma takes for a part of the type


class Declared(TypeDecorator[Any]):
    """A type with its collation, written as it was declared.

    Args:
        reflected: what SQLAlchemy takes it for.
        declared: the text in the CREATE TABLE statement.
    """

    impl = TypeEngine
    cache_ok = False

    def __init__(self, reflected: TypeEngine[Any], declared: str) -> None:
        self.reflected, self.declared = reflected, declared
        super().__init__()
        self.impl = reflected  # type: ignore[assignment]

    def copy(self, **_keywords: Any) -> "Declared":
        """Return the same once more."""
        return Declared(self.reflected, self.declared)


@compiles(Declared)
def _write(declared: Declared, _compiler: Any, **_keywords: Any) -> str:
    return declared.declared


def complete(table: Table, statement: Statement, master: Master, dialect: Dialect) -> None:
    """Give the columns and keys of a reflected table what is said of them.

    Args:
        statement: the one of `master`.
    """
    types, defaults = master.declared_types(), master.defaults()
    for column in table.columns:
        said = statement.columns.get(column.name.lower(), {})
        _complete_type(column, types[column.name], said.get("collation"), dialect)
        if column.computed is not None and "computed" in said:
            column.computed.sqltext = expression_of(said["computed"])
        default = column.server_default
        if isinstance(default, DefaultClause):
            default.arg = without_parameters(as_default(defaults[column.name]))
        if said.get("autoincrement"):
            table.dialect_kwargs["sqlite_autoincrement"] = True
    complete_keys(table.foreign_key_constraints, statement, master)
    keep_order(table, statement, master)
    _complete_conflicts(table, statement)


def complete_keys(
    keys: Collection[ForeignKeyConstraint], statement: Statement, master: Master
) -> None:
    """Give reflected foreign keys of a table their names, actions and when they are checked."""
    actions = master.actions()
    for key in keys:
        to = key.elements[0].target_fullname.rpartition(".")[0]
        to = to.removeprefix(f"{master.schema}.") if master.schema else to
        names = tuple(name.lower() for name in (*key.column_keys, to))
        name = statement.names.get(("FOREIGN", names))
        key.name = conv(name) if name else None
        key.onupdate, key.ondelete = actions.get(names, (None, None))
        when = statement.deferrable.get(names)
        if when is not None:
            key.deferrable, key.initially = True, when


def _complete_conflicts(table: Table, statement: Statement) -> None:
    """Set `ON CONFLICT` of all but UNIQUE: https://www.sqlite.org/lang_conflict.html."""
    names = tuple(column.name.lower() for column in table.primary_key.columns)
    table.primary_key.dialect_kwargs[CONFLICT] = statement.conflicts.get(("KEY", names))
    for column in table.columns:
        for kind, argument in (("NULL", "not_null"), ("KEY", "primary_key")):
            answer = statement.conflicts.get((kind, (column.name.lower(),)))
            column.dialect_kwargs[f"{CONFLICT}_{argument}"] = answer


def _complete_type(
    column: Column[Any], declared: str, collation: str | None, dialect: Dialect
) -> None:
    if column.computed is not None and declared.upper().endswith(GENERATED):
        declared = declared[: -len(GENERATED)]
    if collation is not None:
        declared = f"{declared} COLLATE {collation}"
    is_unknown = isinstance(column.type, NullType)
    if is_unknown or normalized(column.type.compile(dialect)) != normalized(declared):
        column.type = Declared(column.type, declared)
