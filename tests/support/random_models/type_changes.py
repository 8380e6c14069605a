"""Random changes of a column's type."""

from support.random_models.changes import kind
from support.random_models.editing import alter_one, with_column
from support.random_models.generate import Generator
from support.random_models.items import Column
from support.random_models.kinds import Kind, kinds
from support.random_models.models import Models, Table

CONVERTED = [Kind("sa.Integer()", "integer"), Kind("sa.Uuid()", "uuid"), Kind("postgresql.JSONB()", "jsonb")]


@kind("type")
def _alter_type(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return with_column(
            table, column, kind=generator.chance.choice(_other_types(generator, models, table, column))
        )

    def can(table: Table, column: Column) -> bool:
        return bool(_other_types(generator, models, table, column))

    return alter_one(generator, models, can, alter)


@kind("type of a primary key")
def _alter_primary_key(generator: Generator, models: Models) -> Models | None:
    def alter(table: Table, column: Column) -> Table:
        return with_column(
            table, column, kind=generator.chance.choice(_other_types(generator, models, table, column))
        )

    def can(table: Table, column: Column) -> bool:
        return bool(_other_types(generator, models, table, column))

    return alter_one(generator, models, can, alter, primary_key=True)


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


@kind("type without a cast", postgresql_only=True)
def _convert(generator: Generator, models: Models) -> Models | None:
    """A type that PostgreSQL casts text to with USING alone, both ways for an enum type."""
    enums = [Kind(one.variable, "enum") for one in models.enums if "native_enum" not in one.options]

    def targets(table: Table, column: Column) -> list[Kind]:
        needs = [*(one.needs for one in table.columns), *(part.needs for part in table.parts)]
        if column.computed or any(column.name in names for names in needs):
            return []
        if column.kind in enums:
            return [Kind("sa.Text()", "text"), Kind("sa.String(40)", "text")]
        if column.kind.family != "text" or column.default:
            return []
        return [*enums, *(one for one in CONVERTED if one.source != column.kind.source)]

    def alter(table: Table, column: Column) -> Table:
        return with_column(table, column, kind=generator.chance.choice(targets(table, column)))

    return alter_one(generator, models, lambda *pair: bool(targets(*pair)), alter)
