"""Random changes of columns."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from support.random_models.changes import kind, other
from support.random_models.generate import COMMENTS, COMPUTED, IDENTITIES, Generator
from support.random_models.items import Column
from support.random_models.kinds import Kind, kinds
from support.random_models.models import Models, Table

Test = Callable[[Table, Column], bool]
Alter = Callable[[Table, Column], Table]


@kind("add column")
def _add_column(generator: Generator, models: Models) -> Models:
    if generator.likely(0.2):
        models = replace(models, enums=(*models.enums, generator.enum()))
    table = generator.chance.choice(models.tables)
    return models.with_table(replace(table, columns=(*table.columns, generator.column(models, table))))


@kind("drop column")
def _drop_column(generator: Generator, models: Models) -> Models | None:
    return _alter_one(generator, models, lambda table, _: len(table.columns) > 1, _without)


@kind("type")
def _alter_type(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return _with(
            table, column, kind=generator.chance.choice(_other_types(generator, models, table, column))
        )

    def can(table: Table, column: Column) -> bool:
        return bool(_other_types(generator, models, table, column))

    return _alter_one(generator, models, can, alter)


@kind("type of a primary key")
def _alter_primary_key(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return _with(
            table, column, kind=generator.chance.choice(_other_types(generator, models, table, column))
        )

    def can(table: Table, column: Column) -> bool:
        return bool(_other_types(generator, models, table, column))

    return _alter_one(generator, models, can, alter, primary_key=True)


def _other_types(generator: Generator, models: Models, table: Table, column: Column) -> list[Kind]:
    """Types that a column can be cast to, and that fit all that needs the column."""
    keys = [part for each in models.tables for part in each.parts if part.target]
    referred = {(part.target[0], name) for part in keys if part.target for name in part.target[1]}
    parts = [part for part in table.parts if column.name in part.needs]
    special = any(part.target or "_ops=" in part.source or "_using=" in part.source for part in parts)
    if special or column.identity or column.computed or (table.key, column.name) in referred:
        return []
    every = kinds(is_postgresql=generator.is_postgresql)
    found = [each for each in every if each.casts and each.casts == column.kind.casts]
    if column.primary_key:
        found = [each for each in found if each.family == column.kind.family]
    if column.default:
        found = [each for each in found if each.family == column.kind.family]
    if parts or any(column.name in one.needs for one in table.columns):
        found = [each for each in found if each.fits(column.kind)]
    return [each for each in found if each != column.kind]


@kind("nullable")
def _alter_nullable(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return _with(table, column, nullable=not column.nullable)

    return _alter_one(generator, models, lambda _, column: not column.identity, alter)


@kind("default")
def _alter_default(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        if column.default and generator.likely(0.4):
            return _with(table, column, default=None)
        return _with(table, column, default=generator.default(models, column.kind, column.default))

    return _alter_one(generator, models, lambda _, column: not (column.identity or column.computed), alter)


@kind("comment of a column", postgresql_only=True)
def _comment_column(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return _with(table, column, comment=other(generator, COMMENTS, column.comment))

    return _alter_one(generator, models, lambda *_: True, alter)


@kind("identity", postgresql_only=True)
def _alter_identity(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return _with(table, column, identity=other(generator, IDENTITIES, column.identity))

    def can(table: Table, column: Column) -> bool:
        is_only = not any(one.identity for one in table.columns if one != column)
        is_number = column.kind.family == "integer" and not column.computed
        return is_only and is_number and not column.nullable and not column.default

    return _alter_one(generator, models, can, alter)


@kind("computed")
def _alter_computed(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        if column.computed and generator.likely(0.5):
            return _with(table, column, computed=None, needs=frozenset())
        families = [each for each in COMPUTED if (each == "text") == (column.kind.family == "text")]
        new = generator.computed(_without(table, column), column.name, families)
        return _with(table, column, computed=new.computed, needs=new.needs, default=None) if new else table

    def can(table: Table, column: Column) -> bool:
        is_needed = any(column.name in one.needs for one in table.columns)
        is_key = any(part.target for part in table.parts if column.name in part.needs)
        return column.kind.family in ("number", "text") and not is_needed and not is_key

    return _alter_one(generator, models, can, alter)


def _with(table: Table, column: Column, **values: Any) -> Table:  # noqa: ANN401 - fields of it
    columns = tuple(replace(one, **values) if one == column else one for one in table.columns)
    return replace(table, columns=columns)


def _without(table: Table, column: Column) -> Table:
    return replace(table, columns=tuple(one for one in table.columns if one != column))


def _alter_one(
    generator: Generator, models: Models, can: Test, alter: Alter, *, primary_key: bool = False
) -> Models | None:
    """Alter one of the columns that can be, which are of a primary key or are not."""
    found = [
        (table, column)
        for table in models.tables
        for column in table.columns
        if column.primary_key == primary_key and can(table, column)
    ]
    return models.with_table(alter(*generator.chance.choice(found))) if found else None
