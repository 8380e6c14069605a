"""Changes of one column of some models."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from support.random_models.generate import Generator
from support.random_models.items import Column
from support.random_models.models import Models, Table

Test = Callable[[Table, Column], bool]
Alter = Callable[[Table, Column], Table]


def with_column(table: Table, column: Column, **values: Any) -> Table:  # noqa: ANN401 - fields of it
    """Return a table with other values of a column's."""
    columns = tuple(replace(one, **values) if one == column else one for one in table.columns)
    return replace(table, columns=columns)


def without_column(table: Table, column: Column) -> Table:
    """Return a table without a column; what needs it is still there."""
    return replace(table, columns=tuple(one for one in table.columns if one != column))


def alter_one(
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
