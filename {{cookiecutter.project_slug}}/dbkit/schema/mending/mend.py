"""Finds the SQL that takes one difference away."""

from dataclasses import dataclass

from dbkit.schema.difference import Difference
from dbkit.schema.mending import (
    code,
    columns,
    constraints,
    indexes,
    sqlite,
    tables,
    types,
    views,
)
from dbkit.schema.mending.change import Change, Kind, Statements, literal
from dbkit.schema.picture import Picture

KINDS = {
    "column": columns.COLUMN,
    **tables.KINDS,
    **constraints.KINDS,
    **indexes.KINDS,
    **code.KINDS,
    **views.KINDS,
    **types.KINDS,
}
OF_A_TABLE = ("constraint", "trigger", "rule", "policy")
SPECIAL = {"foreign server": "SERVER", "sequence of": "SEQUENCE"}


@dataclass(frozen=True)
class Mend:
    """How a difference can be taken away.

    Args:
        statements: SQL for the database that differs, in this order; empty where there is none.
        instead: what somebody has to decide, where SQL alone could lose data.
    """

    statements: tuple[str, ...] = ()
    instead: str | None = None


def mend(difference: Difference, expected: Picture, found: Picture) -> Mend:
    """Return what takes a difference away, all of it or nothing.

    Args:
        difference: of the two pictures, in this order.
        expected: of the database as it should be.
        found: of the database as it is, for which the statements are.
    """
    change = Change(difference, expected, found)
    if has_moved(difference):
        return Mend()
    kind = (sqlite.KINDS if found.dialect == "sqlite" else KINDS).get(change.one.kind, Kind())
    statements = _statements(change)
    return Mend(tuple(statements)) if statements else Mend(instead=kind.instead(change))


def has_moved(difference: Difference) -> bool:
    """True for an object that belongs to another table now, which was renamed, say."""
    first, second = difference.first, difference.second
    return first is not None and second is not None and first.parent != second.parent


def _statements(change: Change) -> Statements:
    kinds = sqlite.KINDS if change.found.dialect == "sqlite" else KINDS
    kind = kinds.get(change.one.kind, Kind())
    difference = change.difference
    if difference.first is None:
        return kind.drop(change)
    if difference.second is None:
        return _create(kind, change)
    whole = kind.covered & set(difference.facets) - kind.alter.keys()
    if whole and kind.replace is None:
        return _all(kind.drop(change), _create(kind, change))
    statements = kind.replace(change) if whole and kind.replace else []
    return _all(statements, _alter(kind, change, [*difference.facets]))


def _create(kind: Kind, change: Change) -> Statements:
    """Make the object, with all that its definition says and what goes with it."""
    definition = change.one.definition
    others = [facet for facet in definition if facet not in kind.covered]
    made = Change(Difference(change.one, None), change.expected, change.found)
    children = [_of_created(child) for child in change.children()]
    return _all(kind.create(change), _alter(kind, made, others), *children)


def _of_created(child: Change) -> Statements:
    """What an object brings along; the columns of a view come with its query."""
    if child.one.kind != "column":
        return _statements(child)
    return _comment(child) if child.wanted("comment") else []


def _alter(kind: Kind, change: Change, facets: list[str]) -> Statements:
    parts: list[Statements] = []
    for facet in facets:
        if facet in kind.alter:
            parts.append(kind.alter[facet](change))
        elif facet == "comment":
            parts.append(_comment(change))
        elif facet not in kind.covered:
            parts.append(None)
    return _all(*parts)


def _comment(change: Change) -> Statements:
    """https://www.postgresql.org/docs/current/sql-comment.html."""
    one, text = change.one, change.wanted("comment")
    words = SPECIAL.get(one.kind, one.kind.upper())
    if one.kind == "cast":
        name = f"({one.name})"
    elif one.kind == "sequence of":
        name = str((change.difference.second or one).administration["name"])
    elif one.kind in OF_A_TABLE:
        domain = "DOMAIN " if change.parent.kind == "type" else ""
        name = f"{change.own_name} ON {domain}{change.parent.name}"
    else:
        name = one.name
    return [f"COMMENT ON {words} {name} IS {'NULL' if text is None else literal(text)};"]


def _all(*parts: Statements) -> Statements:
    """Join the statements; None if one of the parts has none."""
    joined: list[str] = []
    for part in parts:
        if part is None:
            return None
        joined += part
    return joined
