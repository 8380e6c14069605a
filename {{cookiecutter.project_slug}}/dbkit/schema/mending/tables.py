"""SQL that gives tables and sequences what the revisions give them.

https://www.postgresql.org/docs/current/sql-altertable.html
"""

from typing import Any

from dbkit.schema.mending.change import KEEP, Change, Kind, Statements, set_options

REPLICA_IDENTITY = {None: "DEFAULT", "f": "FULL", "n": "NOTHING"}
SEQUENCE = {
    "type": "AS",
    "increment": "INCREMENT BY",
    "minimum": "MINVALUE",
    "maximum": "MAXVALUE",
    "start": "START WITH",
    "cache": "CACHE",
}


def _table(change: Change, clause: str) -> Statements:
    return [f"ALTER TABLE {change.one.name} {clause};"]


def _bound(change: Change) -> Statements:
    """Attach a partition, or detach it."""
    parents = [*(change.wanted("inherits") or ()), *(change.had("inherits") or ())]
    if len(set(parents)) != 1:
        return None
    parent, partition, bound = parents[0], change.one.name, change.wanted("bound")
    detach = f"ALTER TABLE {parent} DETACH PARTITION {partition};"
    attach = f"ALTER TABLE {parent} ATTACH PARTITION {partition} {bound};"
    return [detach] * bool(change.had("bound")) + [attach] * bool(bound)


def _inherits(change: Change) -> Statements:
    return [] if "bound" in change.difference.facets else None  # `_bound` does it


def _replica_identity(change: Change) -> Statements:
    clause = REPLICA_IDENTITY.get(change.wanted("replica identity"))
    return _table(change, f"REPLICA IDENTITY {clause}") if clause else []  # or its index says it


def _missing_table(change: Change) -> str | None:
    if change.difference.second is not None:
        return None if change.difference.first else KEEP
    return "restore it from a backup; 'make migration-sql' has the statements that made it"


TABLE = Kind(
    alter={
        "unlogged": lambda c: _table(c, f"SET {'UN' if c.wanted('unlogged') else ''}LOGGED"),
        "options": lambda c: set_options(c, "options", f"ALTER TABLE {c.one.name}"),
        "toast options": lambda c: set_options(
            c, "toast options", f"ALTER TABLE {c.one.name}", "toast."
        ),
        "row security": lambda c: _table(
            c, f"{'ENABLE' if c.wanted('row security') else 'DISABLE'} ROW LEVEL SECURITY"
        ),
        "row security for owner": lambda c: _table(
            c, f"{'' if c.wanted('row security for owner') else 'NO '}FORCE ROW LEVEL SECURITY"
        ),
        "replica identity": _replica_identity,
        "bound": _bound,
        "inherits": _inherits,
    },
    instead=_missing_table,
)


def _sequence_name(change: Change) -> str:
    """Return its name, which the picture of a column's own sequence has apart."""
    if change.one.kind == "sequence":
        return change.one.name
    found = change.difference.second or change.one
    return str(found.administration["name"])


def _sequence(change: Change) -> Statements:
    wanted = [f"{words} {change.wanted(facet)}" for facet, words in SEQUENCE.items()]
    cycle = "CYCLE" if change.wanted("cycle") else "NO CYCLE"
    command = "ALTER" if change.difference.second else "CREATE"
    return [f"{command} SEQUENCE {_sequence_name(change)} {' '.join(wanted)} {cycle};"]


def _create_sequence(change: Change) -> Statements:
    """Create it, unless a column owns it."""
    names = (
        one.administration.get("name")
        for one in change.found.objects.values()
        if one.kind == "sequence of"
    )
    return None if change.one.name in names else _sequence(change)


def _own_sequence(change: Change) -> Statements:
    return _sequence(change) if change.difference.second else None


def _logged(change: Change) -> Statements:
    clause = "UNLOGGED" if change.wanted("unlogged") else "LOGGED"
    return [f"ALTER SEQUENCE {_sequence_name(change)} SET {clause};"]


SEQUENCE_KIND: dict[str, Any] = {
    "covered": frozenset({*SEQUENCE, "cycle"}),
    "replace": _sequence,
    "alter": {"unlogged": _logged},
    "instead": lambda change: None if change.difference.first else KEEP,
}
KINDS = {
    "table": TABLE,
    "foreign table": Kind(instead=_missing_table),
    "sequence": Kind(create=_create_sequence, **SEQUENCE_KIND),
    "sequence of": Kind(create=_own_sequence, **SEQUENCE_KIND),
}
