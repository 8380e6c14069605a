"""Describes tables in Markdown: columns, types, constraints, indexes and comments.

The text depends on the models and on the kind of the database alone, so it can be committed, and a
change of a model shows in it.
"""

import re
from collections.abc import Iterable, Iterator

from dbkit.diagram.mermaid import draw_mermaid
from dbkit.diagram.tables import ColumnEntry, TableEntry

DATABASES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


def describe(tables: Iterable[TableEntry], dialect: str) -> str:
    """Return the document: the diagram, then a section for each table."""
    tables = list(tables)
    lines = [
        "# Schema",
        "",
        "<!-- `make db-diagram` writes this file: do not edit it. -->",
        "",
        f"What the models describe, with the types of {DATABASES.get(dialect, dialect)}.",
        "",
    ]
    if tables:
        lines += ["```mermaid", draw_mermaid(tables).rstrip(), "```"]
    else:
        lines.append("There is no table.")
    for table in tables:
        lines += _section(table)
    return "\n".join(lines) + "\n"


def _section(table: TableEntry) -> Iterator[str]:
    yield from ("", f"## {_text(table.name)}", "")
    if table.comment:
        yield from (_text(table.comment), "")
    yield "| Column | Type | Null | Default | Key | Comment |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for column in table.columns:
        yield f"| {' | '.join(_cells(column, table))} |"
    for title, sqls in (("Constraints", table.constraints), ("Indexes", table.indexes)):
        if sqls:
            yield from ("", f"{title}:", "")
            yield from (f"- {_code(sql)}" for sql in sqls)


def _cells(column: ColumnEntry, table: TableEntry) -> Iterator[str]:
    yield _code(column.name, is_cell=True)
    yield _code(column.type, is_cell=True)
    yield "yes" if column.is_nullable else ""
    yield _code(column.default, is_cell=True) if column.default else ""
    targets = [_text(one.target) for one in table.references if column.name in one.columns]
    words = {"PK": "primary", "FK": f"to {', '.join(targets)}", "UK": "unique"}
    yield ", ".join(words[key] for key in column.keys)
    values = ", ".join(_code(value, is_cell=True) for value in column.values)
    yield "; ".join(filter(None, [_text(column.comment), f"one of {values}" if values else ""]))


def _text(text: str) -> str:
    """Return a text in which no character means anything in Markdown or HTML, on one line."""
    text = re.sub(r"([\\`*_{}\[\]()>#+!|~$^=-])", r"\\\1", " ".join(text.split()))
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _code(text: str, *, is_cell: bool = False) -> str:
    """Return a text as code; in a table, a bar ends the cell also there, if nothing is before it.

    https://github.github.com/gfm/#example-200
    """
    text = " ".join(text.split())
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    text = text.replace("|", r"\|") if is_cell else text
    return f"{fence}{space}{text}{space}{fence}"
