"""GRANTs that were there and are not any more: an object that is made anew has none.

https://www.postgresql.org/docs/current/ddl-priv.html
"""

import re
from collections.abc import Iterator

from sqlalchemy.dialects import postgresql

from dbkit.schema.names import parts_of
from dbkit.schema.picture import Picture, SchemaObject

WORDS = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "X": "EXECUTE",
    "U": "USAGE",
    "C": "CREATE",
}
ON = {
    **dict.fromkeys(("table", "foreign table", "view", "materialized view"), ""),
    **dict.fromkeys(("function", "procedure", "aggregate"), "ROUTINE "),
    **{kind: f"{kind.upper()} " for kind in ("sequence", "schema", "type")},
    "sequence of": "SEQUENCE ",
}
# An entry as the server writes it: role=letters/grantor, without a role for PUBLIC.
ENTRY = re.compile(r'(?P<role>"(?:[^"]|"")*"|[^"=]*)=(?P<letters>[A-Za-z*]*)/.*', re.DOTALL)
QUOTES = postgresql.dialect().identifier_preparer  # type: ignore[no-untyped-call]


def find_lost_grants(before: Picture, after: Picture) -> dict[str, list[str]]:
    """Return, by the key of each object that both have, the GRANTs that it lacks in the second."""
    lost = {}
    for key, old in before.objects.items():
        new = after.objects.get(key)
        if new is not None and old.administration != new.administration:
            lost[key] = [*_lost(old, new)]
    return {key: grants for key, grants in lost.items() if grants}


def _lost(old: SchemaObject, new: SchemaObject) -> Iterator[str]:
    had, has = _granted(old), _granted(new)
    owner = old.administration.get("owner")
    for role, letters in had.items():
        lost = [each for each in dict.fromkeys(letters) if each not in has.get(role, "")]
        words = [WORDS[each] for each in lost if each in WORDS]
        if words and role != owner and (place := _place(old, words)):
            yield f"GRANT {place} TO {role}"


def _granted(one: SchemaObject) -> dict[str, str]:
    """Return the letters of each role, which may have them from several others."""
    granted: dict[str, str] = {}
    for entry in one.administration.get("privileges") or ():
        if found := ENTRY.fullmatch(entry):
            role = _role(found["role"])
            granted[role] = granted.get(role, "") + found["letters"]
    return granted


def _role(name: str) -> str:
    """Return a role as SQL has it: the entry has quotes only where a letter is a special one."""
    if not name:
        return "PUBLIC"
    plain = name[1:-1].replace('""', '"') if name.startswith('"') else name
    return QUOTES.quote(plain)


def _place(one: SchemaObject, words: list[str]) -> str | None:
    if one.kind == "column":
        *table, column = parts_of(one.name)
        return f"{', '.join(f'{word} ({column})' for word in words)} ON {'.'.join(table)}"
    if one.kind not in ON:
        return None
    # A sequence that a column owns is known by the column, and has a name of its own.
    name = one.administration["name"] if one.kind == "sequence of" else one.name
    return f"{', '.join(words)} ON {ON[one.kind]}{name}"
