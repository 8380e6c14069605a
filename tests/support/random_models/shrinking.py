"""Makes a case that fails smaller, as long as it fails in the same way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from support.random_models.kinds import Kind
from support.random_models.models import Models, Table
from support.random_models.pruning import pruned

Step = tuple[str, int, str, str]  # what is taken out: of which table, what and of which name
PLAIN = Kind("sa.Integer()", "integer")
PROPERTIES = ("default", "comment", "identity", "computed")


def shrunk(
    before: Models, after: Models, fails: Callable[[Models, Models], bool], most: int = 400
) -> tuple[Models, Models]:
    """Return smaller models, before and after a change, for which `fails` is still true.

    Args:
        most: how often to try.
    """
    best = before, after
    tried = 0
    smaller: tuple[Models, Models] | None = best
    while smaller and tried < most:
        smaller = None
        for step in dict.fromkeys(step for models in best for step in _steps(models)):
            tried += 1
            candidate = _without(best[0], step), _without(best[1], step)
            if candidate != best and all(one.tables for one in candidate) and fails(*candidate):
                best = smaller = candidate
                break
    return best


def _steps(models: Models) -> Iterator[Step]:
    """Yield what can be taken out, the largest first."""
    for table in models.tables:
        yield "table", table.number, "", ""
    for sequence in models.sequences:
        yield "sequence", sequence.number, "", ""
    for table in models.tables:
        yield from (("part", table.number, part.kind, part.identity) for part in table.parts)
    for table in models.tables:
        yield from (("column", table.number, column.name, "") for column in table.columns)
    for table in models.tables:
        yield from _properties(table)


def _properties(table: Table) -> Iterator[Step]:
    for name in ("schema", "comment"):
        if getattr(table, name):
            yield "table's", table.number, name, ""
    for column in table.columns:
        for name in PROPERTIES:
            if getattr(column, name):
                yield "column's", table.number, column.name, name
        if column.kind != PLAIN and not any(column.name in part.needs for part in table.parts):
            yield "column's", table.number, column.name, "kind"


def _without(models: Models, step: Step) -> Models:
    what, number, name, detail = step
    if what == "sequence":
        return pruned(
            replace(models, sequences=tuple(one for one in models.sequences if one.number != number))
        )
    if what == "table":
        return pruned(replace(models, tables=tuple(one for one in models.tables if one.number != number)))
    found = [table for table in models.tables if table.number == number]
    return pruned(models.with_table(_smaller(found[0], what, name, detail))) if found else models


def _smaller(table: Table, what: str, name: str, detail: str) -> Table:
    if what == "part":
        return replace(
            table, parts=tuple(one for one in table.parts if (one.kind, one.identity) != (name, detail))
        )
    if what == "column":
        return replace(table, columns=tuple(one for one in table.columns if one.name != name))
    if what == "table's":
        nothing: dict[str, Any] = {name: None}
        return replace(table, **nothing)
    values: dict[str, Any] = {detail: None}
    if detail == "kind":
        values = {"kind": PLAIN, "default": None}
    if detail == "computed":
        values["needs"] = frozenset()
    columns = tuple(replace(one, **values) if one.name == name else one for one in table.columns)
    return replace(table, columns=columns)
