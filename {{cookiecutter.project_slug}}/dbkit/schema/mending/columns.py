"""SQL that gives a column what the revisions give it.

https://www.postgresql.org/docs/current/sql-altertable.html
"""

import re

from dbkit.schema.mending.change import KEEP, Change, Handler, Kind, Statements, set_options
from dbkit.schema.mending.numbered import default, identity, not_null

TEXT = re.compile(r"text|character varying(\(\d+\))?")
PRECISE = re.compile(r"(numeric|timestamp|time|interval)(?:\((\d+)(?:,(\d+))?\))?( with.*)?")
WIDER = {
    "smallint": ("integer", "bigint", "numeric"),
    "integer": ("bigint", "numeric"),
    "bigint": ("numeric",),
    "real": ("double precision",),
}
COMPRESSION = {"p": "pglz", "l": "lz4", None: "default"}
STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}


def _column(change: Change, clause: str) -> Statements:
    if change.parent.kind not in ("table", "foreign table"):
        return None
    return [f"ALTER TABLE {change.parent.name} ALTER COLUMN {change.own_name} {clause};"]


def _of_a_table(handler: Handler) -> Handler:
    return lambda c: handler(c) if c.parent.kind in ("table", "foreign table") else None


def _type_of(change: Change) -> str:
    collation = change.wanted("collation")
    return f"{change.wanted('type')}{f' COLLATE {collation}' if collation else ''}"


def _add_column(change: Change) -> Statements:
    default, computed = change.wanted("default"), change.wanted("computed")
    if change.parent.kind != "table" or change.wanted("identity") or "own seq" in (default or ""):
        return None
    parts = [_type_of(change)]
    if computed:
        expression, _, how = computed.rpartition(" ")
        parts.append(f"GENERATED ALWAYS AS ({expression}) {how}")
    parts += [f"DEFAULT {default}"] if default else []
    parts += ["NOT NULL"] if change.wanted("not null") else []
    return [f"ALTER TABLE {change.parent.name} ADD COLUMN {change.own_name} {' '.join(parts)};"]


def _alter_type(change: Change) -> Statements:
    if not keeps_values(change.had("type"), change.wanted("type")):
        return None
    return _column(change, f"TYPE {_type_of(change)}")


def _alter_collation(change: Change) -> Statements:
    return [] if "type" in change.difference.facets else _alter_type(change)


def keeps_values(had: str, wanted: str) -> bool:
    """Tell whether a change of type alters no value: it works for all rows, or fails."""
    if had == wanted or (TEXT.fullmatch(had) and TEXT.fullmatch(wanted)):
        return True
    if wanted in WIDER.get(had, ()):
        return True
    before, after = PRECISE.fullmatch(had), PRECISE.fullmatch(wanted)
    if not before or not after or (before[1], before[4]) != (after[1], after[4]):
        return False
    return _places(before) <= _places(after)


def _places(found: re.Match[str]) -> float:
    """Return how many digits behind the point a type keeps."""
    if found[1] == "numeric":
        return int(found[3] or 0) if found[2] else float("inf")
    return int(found[2] or 6)


def _computed(change: Change) -> Statements:
    """A column that is computed stays as it is, and is an ordinary one from then on."""
    if change.wanted("computed") or not str(change.had("computed")).endswith(" STORED"):
        return None
    return _column(change, "DROP EXPRESSION")


def _storage(change: Change) -> Statements:
    wanted = change.wanted("storage")
    if wanted is None:  # the type's own, which only PostgreSQL 16 and later know by a word
        wanted = "x" if TEXT.fullmatch(change.wanted("type")) else None
    return _column(change, f"SET STORAGE {STORAGE[wanted]}") if wanted else None


def _not_null(change: Change) -> Statements:
    """An identity that is added needs it at once, and brings it along."""
    if change.parent.kind not in ("table", "foreign table"):
        return None
    is_added = change.wanted("identity") and not change.had("identity")
    return [] if is_added else not_null(change)


def _target(change: Change) -> int:
    wanted = change.wanted("statistics")
    return -1 if wanted is None else int(wanted)


def _lost_column(change: Change) -> str | None:
    if change.parent.kind not in ("table", "foreign table"):
        return None
    if change.difference.first is None:
        return KEEP
    if "type" in change.difference.facets:
        return "the change may alter values: write it in a revision, with its USING"
    if "computed" in change.difference.facets:
        return "drop and add the column in a revision, which computes its values anew"
    return None


COLUMN = Kind(
    create=_add_column,
    covered=frozenset({"type", "collation", "not null", "default", "computed"}),
    alter={
        "type": _alter_type,
        "collation": _alter_collation,
        "not null": _not_null,
        "default": _of_a_table(default),
        "computed": _computed,
        "identity": _of_a_table(identity),
        "storage": _storage,
        "compression": lambda c: _column(
            c, f"SET COMPRESSION {COMPRESSION.get(c.wanted('compression'))}"
        ),
        "statistics": lambda c: _column(c, f"SET STATISTICS {_target(c)}"),
        "options": lambda c: set_options(
            c, "options", f"ALTER TABLE {c.parent.name} ALTER COLUMN {c.own_name}"
        ),
    },
    instead=_lost_column,
)
