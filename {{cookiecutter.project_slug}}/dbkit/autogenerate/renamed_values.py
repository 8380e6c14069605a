"""Points out what may be renamed values of an enum type, which look like removed and added ones."""

import json
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from alembic.operations import ops

from dbkit.autogenerate.enum_changes import ReplaceEnumValues


def possible_renamed_values(operations: Iterable[ops.MigrateOperation]) -> Iterator[str]:
    """Yield a line for each enum type that lost values where it got others, with code to write."""
    for op in operations:
        if type(op) is not ReplaceEnumValues:
            continue
        renamed = dict(_pairs(op.before, op.values))
        if renamed:
            back = {new: old for old, new in renamed.items()}
            yield (
                f"Renamed? The enum type {op.full_name} has {_listed(renamed.values())} instead of"
                f" {_listed(renamed)}, which no row may have then. To rename:"
                f" {_call(op, op.values, renamed)}"
                f" and in the downgrade {_call(op, op.before, back)}"
            )


def _pairs(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    """Yield removed values with the new ones at their places."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "replace":
            removed = (value for value in before[start:end] if value not in after)
            added = (value for value in after[new_start:new_end] if value not in before)
            yield from zip(removed, added, strict=False)


def _call(op: ReplaceEnumValues, values: list[str], renamed: dict[str, str]) -> str:
    schema = f", schema={_literal(op.schema)}" if op.schema else ""
    return (
        f"op.replace_enum_values({_literal(op.name)}, {_literal(values)}, "
        f"renamed={_literal(renamed)}{schema})"
    )


def _listed(values: Iterable[str]) -> str:
    return ", ".join(map(_literal, values))


def _literal(value: object) -> str:
    """Return strings, lists and dictionaries of strings as Python has them, on one line."""
    return json.dumps(value, ensure_ascii=False)
