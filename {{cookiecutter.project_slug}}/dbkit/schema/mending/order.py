"""Mends of several differences, in an order that works, without those that another one blocks."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dbkit.schema.difference import Difference
from dbkit.schema.mending.change import last_part
from dbkit.schema.mending.mend import Mend, mend
from dbkit.schema.mending.renamed_constraints import rename_constraints
from dbkit.schema.picture import Picture, SchemaObject

# What others need comes before them.
ORDER = (
    *("schema", "extension", "type", "sequence", "function", "table", "column", "sequence of"),
    *("constraint", "index", "statistics", "view", "materialized view"),
)
RENAMED = ("table", "column", "type", "sequence")
USED = ("type", "function", "procedure", "view", "materialized view", "extension")


def mends(
    differences: Iterable[Difference], expected: Picture, found: Picture
) -> list[tuple[Difference, Mend]]:
    """Return the differences with what takes them away. For the arguments, see `mend`.

    The statements work in this order. None are given that need what has no statement itself, and
    none that drop what something else uses, or what was perhaps only renamed.
    """
    ordered = sorted(differences, key=_place)
    pairs = [(each, mend(each, expected, found)) for each in ordered]
    open_ones = [each for each, one in pairs if not one.statements]
    questions = _rename_questions(ordered, expected, found)
    renamed = rename_constraints(ordered, expected, found)

    def checked(each: Difference, one: Mend) -> Mend:
        if each.key in renamed:
            return renamed[each.key]
        if each.key in questions:
            return Mend(instead=questions[each.key])
        blocking = next(iter(_blocking(one, each, open_ones)), None)
        if blocking is not None:
            return Mend(instead=f"after {blocking}, which it needs")
        if each.first is None and one.statements and _is_used(_one(each), found):
            return Mend(instead="something in the database uses it, which has to go first")
        return one

    return [(each, checked(each, one)) for each, one in pairs]


def _place(difference: Difference) -> tuple[int, int, str]:
    one = _one(difference)
    place = ORDER.index(one.kind) if one.kind in ORDER else len(ORDER)
    within = 0
    if one.kind == "constraint":  # a table has one primary key, and a foreign key needs one
        definition = str(one.definition["definition"])
        is_new, is_foreign = difference.first is not None, definition.startswith("FOREIGN")
        within = 1 + is_foreign if is_new else -is_foreign
    return place, within, difference.key


def _one(difference: Difference) -> SchemaObject:
    one = difference.first or difference.second
    assert one is not None  # noqa: S101 - for the type checker
    return one


def _blocking(one: Mend, own: Difference, open_ones: list[Difference]) -> Iterable[str]:
    """Return the objects that the statements name and that stay different or missing."""
    text = "\n".join(one.statements)
    for other in open_ones if text else ():
        if other is own or other.first is None:
            continue
        name = other.first.name
        if other.first.kind == "column":
            table, column = _parts(name)
            if _mentions(text, table) and _mentions(text, column):
                yield other.key
        elif other.second is None and _mentions(text, name.partition("(")[0]):
            yield other.key


def _mentions(text: str, name: str) -> bool:
    return name in text and re.search(rf'(?<![\w"]){re.escape(name)}(?![\w"])', text) is not None


def _is_used(one: SchemaObject, found: Picture) -> bool:
    """Tell whether the definition of another object names this one, which can then not go."""
    if one.kind not in USED:
        return False
    name = one.name.partition("(")[0]
    return any(
        _mentions(text, name)
        for other in found.objects.values()
        if other.parent != one.key and other.name.partition("(")[0] != name
        for text in _texts(other.definition)
    )


def _texts(value: Any) -> Iterator[str]:
    """Return all texts in a definition."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _rename_questions(
    ordered: list[Difference], expected: Picture, found: Picture
) -> dict[str, str]:
    """Return a question for each missing object that is there under another name, and for both."""
    questions = {}
    extra = [each.second for each in ordered if each.first is None and each.second]
    for each in ordered:
        one = each.first
        if one is None or each.second is not None or one.kind not in RENAMED:
            continue
        similar = [other for other in extra if (other.kind, other.parent) == (one.kind, one.parent)]
        if similar:
            wanted = _content(one, expected)
            similar = [other for other in similar if _content(other, found) == wanted]
        if len(similar) == 1 and (command := _rename(similar[0], one.name)):
            questions[each.key] = f"was it renamed? Then {command} keeps what it holds"
            questions[similar[0].key] = f"was it {one.key}? Then {command}"
    return questions


def _rename(one: SchemaObject, to: str) -> str | None:
    place, name = _parts(to)
    old_place, old_name = _parts(one.name)
    if one.kind == "column":
        return f"ALTER TABLE {place} RENAME COLUMN {old_name} TO {name};"
    if place == old_place:
        return f"ALTER {one.kind.upper()} {one.name} RENAME TO {name};"
    return f"ALTER {one.kind.upper()} {one.name} SET SCHEMA {place};" if name == old_name else None


def _parts(name: str) -> tuple[str, str]:
    """Return what stands before the last part of a name, and that part."""
    last = last_part(name)
    return name.removesuffix(last).removesuffix("."), last


def _content(one: SchemaObject, picture: Picture) -> object:
    columns = {
        other.name.removeprefix(f"{one.name}."): other.definition
        for other in picture.objects.values()
        if other.parent == one.key and other.kind == "column"
    }
    return one.definition, columns
