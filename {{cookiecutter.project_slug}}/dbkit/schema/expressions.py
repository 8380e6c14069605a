"""Makes expressions equal that PostgreSQL words differently, though they are the same.

A dump is read back with casts that the parser has moved and without parentheses that it does not
keep, and a column whose type was changed keeps the cast of its default: https://www.postgresql.org/docs/current/sql-expressions.html
"""

import re
from typing import Any

from dbkit.schema.nesting import LITERAL, flatten

VARCHAR = r"::character varying(?:\((\d+)\))?"
ARRAY = re.compile(rf"\(ARRAY\[({LITERAL}{VARCHAR}(?:, {LITERAL}{VARCHAR})*)\]\)::text\[\]")
ELEMENT = re.compile(rf"({LITERAL}){VARCHAR}")
CAST = re.compile(rf"\(({LITERAL}){VARCHAR}\)::text")
WHOLE = re.compile(rf"({LITERAL}){VARCHAR}")
VERBATIM = {"comment", "enum", "options", "toast options", "foreign options"}
ROUTINES = {"function", "procedure", "aggregate"}


def normalize(kind: str, facet: str, value: Any) -> Any:
    """Return a property's value with its casts of text, AND and OR in their plainest form."""
    if not isinstance(value, str) or kind in ROUTINES or facet in VERBATIM:
        return value
    value = ARRAY.sub(lambda found: f"ARRAY[{ELEMENT.sub(_as_text, found[1])}]", value)
    value = flatten(CAST.sub(_as_text, value))
    if facet == "default" and WHOLE.fullmatch(value):
        return WHOLE.sub(_as_text, value)
    return value


def _as_text(found: re.Match[str]) -> str:
    """Return a constant as text, unless its cast may cut it: its quotes do not count."""
    constant, length = found[1], found[2]
    if length is not None and len(constant) - 2 > int(length):
        return found[0]
    return f"{constant}::text"
