"""Random changes of columns."""

from dataclasses import replace

from support.random_models.changes import kind, other
from support.random_models.editing import alter_one, with_column, without_column
from support.random_models.generate import COMMENTS, COMPUTED, IDENTITIES, Generator
from support.random_models.items import Column
from support.random_models.models import Models, Table


@kind("add column")
def _add_column(generator: Generator, models: Models) -> Models:
    if generator.likely(0.2):
        models = replace(models, enums=(*models.enums, generator.enum()))
    table = generator.chance.choice(models.tables)
    return models.with_table(replace(table, columns=(*table.columns, generator.column(models, table))))


@kind("drop column")
def _drop_column(generator: Generator, models: Models) -> Models | None:
    return alter_one(generator, models, lambda table, _: len(table.columns) > 1, without_column)


@kind("nullable")
def _alter_nullable(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return with_column(table, column, nullable=not column.nullable)

    return alter_one(generator, models, lambda _, column: not column.identity, alter)


@kind("default")
def _alter_default(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        if column.default and generator.likely(0.4):
            return with_column(table, column, default=None)
        return with_column(table, column, default=generator.default(models, column.kind, column.default))

    return alter_one(generator, models, lambda _, column: not (column.identity or column.computed), alter)


@kind("comment of a column", postgresql_only=True)
def _comment_column(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return with_column(table, column, comment=other(generator, COMMENTS, column.comment))

    return alter_one(generator, models, lambda *_: True, alter)


@kind("identity", postgresql_only=True)
def _alter_identity(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return with_column(table, column, identity=other(generator, IDENTITIES, column.identity))

    def can(table: Table, column: Column) -> bool:
        is_only = not any(one.identity for one in table.columns if one != column)
        is_number = column.kind.family == "integer" and not column.computed
        return is_only and is_number and not column.nullable and not column.default

    return alter_one(generator, models, can, alter)


@kind("computed")
def _alter_computed(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        if column.computed and generator.likely(0.5):
            return with_column(table, column, computed=None, needs=frozenset())
        families = [each for each in COMPUTED if (each == "text") == (column.kind.family == "text")]
        new = generator.computed(without_column(table, column), column.name, families)
        return (
            with_column(table, column, computed=new.computed, needs=new.needs, default=None) if new else table
        )

    def can(table: Table, column: Column) -> bool:
        is_needed = any(column.name in one.needs for one in table.columns)
        is_key = any(part.target for part in table.parts if column.name in part.needs)
        return column.kind.family in ("number", "text") and not is_needed and not is_key

    return alter_one(generator, models, can, alter)
