"""Writes the changes of enum types that two pictures show. A plug-in of Alembic's.

https://alembic.sqlalchemy.org/en/latest/api/plugins.html
"""

import re
import sys
from collections.abc import Iterator

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy.util import asbool

from dbkit.autogenerate.enum_changes import (
    CreateEnum,
    DropEnum,
    EnumChange,
    ExtendEnum,
    ReplaceEnumValues,
)
from dbkit.autogenerate.two_pictures import PICTURES, TwoPictures
from dbkit.schema import SchemaObject

NAME = "dbkit.enums"


def compare(
    context: AutogenContext, upgrade: ops.UpgradeOps, _schemas: set[str | None]
) -> PriorityDispatchResult:
    """Add an operation for each enum type that differs."""
    pictures: TwoPictures | None = context.migration_context.opts.get(PICTURES)
    if pictures is not None:
        config = context.migration_context.config
        online = config.get_main_option("online_indexes") if config else None
        changes = _changes(pictures, indexes_apart=asbool(online or "false"))
        upgrade.ops = [*changes, *upgrade.ops]
    return PriorityDispatchResult.CONTINUE


def silence_library(*_arguments: object) -> PriorityDispatchResult:
    """Keep alembic-postgresql-enum from writing the same, where older revisions import it."""
    library = sys.modules.get("alembic_postgresql_enum")
    if library is not None:
        library.set_configuration(library.Config(include_name=lambda _name: False))
    return PriorityDispatchResult.CONTINUE


PLUGIN = Plugin(NAME)
for function, priority in (
    (silence_library, DispatchPriority.FIRST),
    (compare, DispatchPriority.LAST),
):
    PLUGIN.add_autogenerate_comparator(
        function, "schema", "enums", qualifier="postgresql", priority=priority
    )


def _changes(pictures: TwoPictures, *, indexes_apart: bool) -> Iterator[EnumChange]:
    """Yield the changes.

    Args:
        indexes_apart: indexes of existing tables get a revision of their own.
    """
    for difference in pictures.differences():
        one = difference.second or difference.first
        if one is None or "enum" not in one.definition:
            continue
        _, schema, name = pictures.scope.key_of(one)
        home = None if schema == pictures.scope.default_schema else schema
        values = one.definition["enum"]
        if difference.first is None:
            yield CreateEnum(name, values, schema=home)
        elif difference.second is None:
            yield DropEnum(name, values, schema=home)
        else:
            before = difference.first.definition["enum"]
            new = {*values} - {*before}
            stays = [value for value in values if value in before] == before
            change = (
                ExtendEnum if stays and not _is_used(new, one, pictures, indexes_apart) else None
            )
            yield (change or ReplaceEnumValues)(name, values, before, schema=home)


def _is_used(
    values: set[str], kind: SchemaObject, pictures: TwoPictures, indexes_apart: bool
) -> bool:
    """Tell whether a default, index or constraint of the models' has one of the values.

    The transaction that adds a value to a type cannot use it.
    https://www.postgresql.org/docs/current/sql-altertype.html
    """
    found = pictures.found.objects
    return any(
        values & set(_values_in(text, kind.name))
        for one in pictures.wanted.objects.values()
        if one is not kind
        and found.get(one.key) != one
        and not (indexes_apart and one.kind == "index" and one.parent in found)
        for text in one.definition.values()
        if isinstance(text, str)
    )


def _values_in(text: str, kind: str) -> Iterator[str]:
    """Yield the values of an enum type that stand in SQL as the server writes it."""
    for literal, array in re.findall(rf"'((?:[^']|'')*)'::{re.escape(kind)}(\[\])?", text):
        value = literal.replace("''", "'")
        if not array:
            yield value
            continue
        for quoted, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)', value):
            yield re.sub(r"\\(.)", r"\1", quoted) or bare
