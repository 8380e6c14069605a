"""Takes out of models what cannot be there without something that was taken out."""

from dataclasses import replace

from support.random_models.items import Column, Key
from support.random_models.models import Models, Table


def pruned(models: Models) -> Models:
    """Return the models without what needs a column, a table, a key or a type that is not there."""
    before = None
    while before != models:
        before = models
        tables = {table.key: table for table in models.tables}
        models = replace(models, tables=tuple(_pruned(table, models, tables) for table in tables.values()))
        models = replace(models, tables=tuple(table for table in models.tables if table.columns))
    used = {column.kind.source for table in models.tables for column in table.columns}
    return replace(models, enums=tuple(one for one in models.enums if one.variable in used))


def _pruned(table: Table, models: Models, tables: dict[Key, Table]) -> Table:
    columns = tuple(_with_default(one, models) for one in table.columns if _has_its_type(one, models))
    names = {column.name for column in columns}
    columns = tuple(column for column in columns if column.needs <= names)
    parts = [part for part in table.parts if names.issuperset(part.needs)]
    for part in list(parts):
        if part.target:
            other = tables.get(part.target[0])
            if other is None or part.target[1] not in other.keys(table):
                parts.remove(part)
    return replace(table, columns=columns, parts=tuple(parts))


def _has_its_type(column: Column, models: Models) -> bool:
    return column.kind.family != "enum" or any(one.variable == column.kind.source for one in models.enums)


def _with_default(column: Column, models: Models) -> Column:
    """Without a default that is a sequence's, or a member, that is not there."""
    default = column.default or ""
    if default.endswith(".next_value()"):
        is_there = any(default.startswith(f"{one.variable}.") for one in models.sequences)
    elif column.kind.family == "enum" and default:
        [enum] = [one for one in models.enums if one.variable == column.kind.source]
        is_there = default in map(repr, enum.members)
    else:
        is_there = True
    return column if is_there else replace(column, default=None)
