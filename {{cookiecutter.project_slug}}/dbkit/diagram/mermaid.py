"""Draws tables as an entity relationship diagram of Mermaid, which GitHub and GitLab show.

https://mermaid.js.org/syntax/entityRelationshipDiagram.html
"""

import re
from collections.abc import Iterable

from dbkit.diagram.tables import ColumnEntry, TableEntry

KEYS = ("PK", "FK", "UK")  # words that no attribute can be called


def draw_mermaid(tables: Iterable[TableEntry]) -> str:
    """Return the diagram: each table with its columns, then a line for each foreign key."""
    tables = list(tables)
    lines = ["erDiagram"]
    for table in tables:
        lines.append(f"    {_quoted(table.name)} " + "{")
        lines += [f"        {_attribute(column)}" for column in table.columns]
        lines.append("    }")
    for table in tables:
        for one in table.references:
            left = "|o" if one.is_optional else "||"
            right = "o|" if one.is_single else "o{"
            label = _quoted(", ".join(one.columns))
            target = _quoted(one.target)
            lines.append(f"    {target} {left}--{right} {_quoted(table.name)} : {label}")
    return "\n".join(lines) + "\n"


def _attribute(column: ColumnEntry) -> str:
    """Return type, name, keys and a note; a name that is no word of Mermaid's is in the note."""
    name = _word(column.name)
    notes = [column.name] if name != column.name else []
    notes += ["nullable"] if column.is_nullable else []
    parts = [_word(column.type), name, ", ".join(column.keys)]
    parts += [_quoted(", ".join(notes))] if notes else []
    return " ".join(filter(None, parts))


def _word(text: str) -> str:
    """Return what the lexer takes for one word: `NUMERIC(10, 2)` is `NUMERIC(10_2)`."""
    word = re.sub(r"[^A-Za-z0-9_()\[\]\u00c0-\uffff-]+", "_", text)
    is_word = re.match(r"[A-Za-z_\u00c0-\uffff]", word) and word not in KEYS
    return word if is_word else f"_{word}"


def _quoted(text: str) -> str:
    """Return a text in quotes, in which Mermaid knows no way to escape these characters."""
    return '"' + re.sub(r'[\s"%\\\x00-\x1f`]+', " ", text) + '"'
