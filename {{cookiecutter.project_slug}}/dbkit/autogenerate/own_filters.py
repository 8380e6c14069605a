"""Asks the service's own filters about an object of a picture, as Alembic would about its own."""

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import NullType

from dbkit.autogenerate.scope import Scope
from dbkit.schema import SchemaObject

# How Alembic calls them; what it does not compare is not asked about.
KINDS = {
    "column": "column",
    "index": "index",
    "check": "check_constraint",
    "unique constraint": "unique_constraint",
    "foreign key": "foreign_key_constraint",
}
CONSTRAINTS = {
    "CHECK": "check_constraint",
    "UNIQUE": "unique_constraint",
    "FOREIGN": "foreign_key_constraint",
}


def is_included(one: SchemaObject, scope: Scope, *, is_in_models: bool) -> bool:
    """Tell whether `include_name` and `include_object` want an object to be compared."""
    kind = KINDS.get(one.kind) or CONSTRAINTS.get(str(one.definition.get("definition")).split()[0])
    if kind is None:
        return True
    table = scope.table_of(one)
    if table is None:
        return True
    name = scope.key_of(one)[-1].removeprefix(f"{table.name}.")
    parents = {"table_name": table.name, "schema_name": table.schema}
    if not is_in_models and not scope.filters["include_name"](name, kind, parents):
        return False
    item = _model_item(kind, name, table) if is_in_models else _reflected_item(kind, name, table)
    return bool(scope.filters["include_object"](item, name, kind, not is_in_models, None))


def _model_item(kind: str, name: str, table: Table) -> Any:
    """Return the models' object of a name; one that looks like it, if it is not found."""
    items = {
        "column": [*table.columns],
        "index": [*table.indexes],
    }.get(kind, [*table.constraints])
    for item in items:
        if str(getattr(item, "name", None)) == name:
            return item
    return _reflected_item(kind, name, table)


def _reflected_item(kind: str, name: str, table: Table) -> Any:
    copy = Table(table.name, MetaData(), Column(name, NullType), schema=table.schema)
    match kind:
        case "column":
            return copy.c[name]
        case "index":
            return Index(name, copy.c[name])
        case "unique_constraint":
            item: Any = UniqueConstraint(copy.c[name], name=name)
        case "check_constraint":
            item = CheckConstraint("true", name=name)
        case _:
            item = ForeignKeyConstraint([name], [f"{table.name}.{name}"], name=name)
    copy.append_constraint(item)
    return item
