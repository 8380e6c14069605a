"""Makes a case that fails smaller, as long as it fails in the same way."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from support.random_models.kinds import Kind
from support.random_models.models import Models
from support.random_models.pruning import pruned

Pair = tuple[Models, Models]
PLAIN = Kind("sa.Integer()", "integer")


def shrunk(before: Models, after: Models, fails: Callable[[Models, Models], bool], most: int = 400) -> Pair:
    """Return the smallest models before and after a change for which `fails` is still true.

    Args:
        most: how often to try.
    """
    best = before, after
    tried = 0
    found = True
    while found and tried < most:
        found = False
        for candidate in _smaller(best):
            tried += 1
            if candidate != best and all(one.tables for one in candidate) and fails(*candidate):
                best, found = candidate, True
                break
    return best


def _smaller(pair: Pair) -> Iterator[Pair]:
    """Yield the pair without each table, part, column and property, the largest first."""
    for steps in (_tables, _sequences, _parts, _columns, _properties):
        for step in dict.fromkeys(step for models in pair for step in steps(models)):
            before, after = (pruned(_apply(models, step)) for models in pair)
            yield before, after


Step = tuple[str, int, object]


def _tables(models: Models) -> Iterator[Step]:
    yield from (("table", table.number, None) for table in models.tables)


def _sequences(models: Models) -> Iterator[Step]:
    yield from (("sequence", one.number, None) for one in models.sequences)


def _parts(models: Models) -> Iterator[Step]:
    for table in models.tables:
        yield from (("part", table.number, (part.kind, part.identity)) for part in table.parts)


def _columns(models: Models) -> Iterator[Step]:
    for table in models.tables:
        yield from (("column", table.number, column.name) for column in table.columns)


def _properties(models: Models) -> Iterator[Step]:
    for table in models.tables:
        if table.schema:
            yield ("schema", table.number, None)
        if table.comment:
            yield ("comment", table.number, None)
        for column in table.columns:
            for name in ("default", "comment", "identity", "computed"):
                if getattr(column, name):
                    yield ("property", table.number, (column.name, name))
            if column.kind != PLAIN and not any(column.name in part.needs for part in table.parts):
                yield ("type", table.number, column.name)


def _apply(models: Models, step: Step) -> Models:
    what, number, detail = step
    if what == "sequence":
        return replace(models, sequences=tuple(one for one in models.sequences if one.number != number))
    found = [table for table in models.tables if table.number == number]
    if not found:
        return models
    table = found[0]
    if what == "table":
        return replace(models, tables=tuple(one for one in models.tables if one.number != number))
    if what == "part":
        parts = tuple(part for part in table.parts if (part.kind, part.identity) != detail)
        return models.with_table(replace(table, parts=parts))
    if what == "column":
        return models.with_table(replace(table, columns=tuple(one for one in table.columns if one.name != detail)))
    if what == "comment":
        return models.with_table(replace(table, comment=None))
    if what == "schema":
        moved = replace(table, schema=None)
        return models.with_table(moved)
    name, values = (detail, {"kind": PLAIN, "default": None}) if what == "type" else (detail[0], {detail[1]: None})
    if "computed" in values:
        values["needs"] = frozenset()
    columns = tuple(replace(one, **values) if one.name == name else one for one in table.columns)
    return models.with_table(replace(table, columns=columns))
