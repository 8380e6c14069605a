"""SQL for what SQLite can create and drop by itself: https://www.sqlite.org/lang_altertable.html."""

from dbkit.schema.mending.change import KEEP, Change, Kind, Statements


def _create(change: Change) -> Statements:
    return [f"{change.wanted('definition').removesuffix(';')};"]


def _drop(change: Change) -> Statements:
    name = change.one.name.replace('"', '""')
    return [f'DROP {change.one.kind.upper()} "{name}";']


def _is_extra(change: Change) -> str | None:
    if change.difference.first is not None and change.difference.second is not None:
        return None
    return KEEP if change.difference.first is None else None


CODE = Kind(create=_create, covered=frozenset({"definition"}), drop=_drop)
KINDS = {
    "index": CODE,
    "view": CODE,
    "trigger": CODE,
    "table": Kind(instead=_is_extra),
    "column": Kind(instead=_is_extra),
}
