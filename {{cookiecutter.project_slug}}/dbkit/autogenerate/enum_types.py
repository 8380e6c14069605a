"""Which enum types and domains models have, and which ones of a database nothing else uses."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from alembic.util import CommandError
from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from dbkit.schema import SchemaObject

POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
NAME = re.compile(r'(?:"(?:[^"]|"")+"|\w+)(?:\.(?:"(?:[^"]|"")+"|\w+))*')
ROUTINES = {"function", "procedure", "aggregate"}
Domains = dict[tuple[str | None, str], postgresql.DOMAIN]
Enums = dict[tuple[str | None, str], postgresql.ENUM]


def inner_type(column_type: TypeEngine[Any]) -> Any:
    """Return PostgreSQL's own type inside of decorators, variants and arrays."""
    one: Any = column_type.dialect_impl(POSTGRESQL)
    while isinstance(one, TypeDecorator):
        one = one.impl_instance.dialect_impl(POSTGRESQL)
    item = getattr(one, "item_type", None)
    return one if item is None else inner_type(item)


def enum_of(column_type: TypeEngine[Any]) -> postgresql.ENUM | None:
    """Return PostgreSQL's enum type inside of a type, if there is one."""
    one = inner_type(column_type)
    return one if isinstance(one, postgresql.ENUM) else None


def domains_of(tables: Iterable[Table], metadata: MetaData) -> Domains:
    """Return the models' domains by schema and name; not those that somebody else creates."""
    inner = [inner_type(column.type) for table in tables for column in table.columns]
    return {
        (one.schema or metadata.schema, str(one.name)): one
        for one in inner
        if isinstance(one, postgresql.DOMAIN) and one.create_type
    }


def enums_of(tables: Iterable[Table], metadata: MetaData) -> Enums:
    """Return the models' enum types by schema and name; not those that somebody else creates.

    Raises:
        CommandError: two of them have one name and different values.
    """
    found: Enums = {}
    for column in (column for table in tables for column in table.columns):
        enum = enum_of(column.type)
        if enum is None or not enum.name or not enum.create_type:
            continue
        key = (enum.schema or metadata.schema, str(enum.name))
        if found.setdefault(key, enum).enums != enum.enums:
            raise CommandError(
                f"{column.table.fullname}.{column.name}: another column has an enum type"
                f" {enum.name} with other values: give one of them another name"
            )
    return found


def used_by_those_alone(
    types: Iterable[SchemaObject],
    objects: Iterable[SchemaObject],
    is_ours: Callable[[SchemaObject], bool],
) -> Iterator[SchemaObject]:
    """Yield each type that some of our objects use, and no others.

    A function's text may have a type without its schema, and is no dependency of the server's.
    """
    used, elsewhere, words = set[str](), set[str](), set[str]()
    for one in objects:
        names = {name for text in _texts([*one.definition.values()]) for name in NAME.findall(text)}
        if is_ours(one):
            used |= names
        else:
            elsewhere |= names
        if one.kind in ROUTINES:
            words |= {word for name in names for word in name.split(".")}
    for kind in types:
        is_elsewhere = kind.name in elsewhere or kind.name.rpartition(".")[2] in words
        if kind.name in used and not is_elsewhere:
            yield kind


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
