"""Draws tables as SVG by Graphviz, where its program `dot` is installed.

https://graphviz.org/doc/info/shapes.html#html
"""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from html import escape

from dbkit.diagram.tables import TableEntry

WITHIN = 60  # seconds
HEAD = """\
digraph {
graph [rankdir=LR, bgcolor=white, pad=0.3, nodesep=0.4, ranksep=1.2]
node [shape=plaintext, fontname="Helvetica,Arial,sans-serif", fontsize=11]
edge [dir=both, color="#64748b", arrowsize=0.8]"""


def draw(tables: Iterable[TableEntry]) -> str | None:
    """Return an SVG; None where `dot` is missing or draws nothing."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        result = subprocess.run(
            [program, "-Tsvg"],
            input="\n".join([HEAD, *_lines(list(tables)), "}"]),
            capture_output=True,
            encoding="utf-8",
            timeout=WITHIN,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout


def _lines(tables: list[TableEntry]) -> Iterator[str]:
    numbers = {table.name: number for number, table in enumerate(tables)}
    for table in tables:
        yield f"t{numbers[table.name]} [label=<{_label(table)}>]"
    for table in tables:
        ports = {column.name: number for number, column in enumerate(table.columns)}
        for one in table.references:
            tail = "teeodot" if one.is_optional else "teetee"
            head = "teeodot" if one.is_single else "crowodot"
            # The arrow leads from the table that is referred to: it stands at the left.
            yield (
                f"t{numbers[one.target]}:head -> t{numbers[table.name]}:c{ports[one.columns[0]]} "
                f"[arrowtail={tail}, arrowhead={head}]"
            )


def _label(table: TableEntry) -> str:
    rows = [
        f'<TR><TD PORT="head" COLSPAN="3" BGCOLOR="#1e3a5f">'
        f'<FONT COLOR="white"><B>{_text(table.name)}</B></FONT></TD></TR>'
    ]
    for number, column in enumerate(table.columns):
        null = " null" if column.is_nullable else ""
        keys = " ".join(column.keys) or " "
        rows.append(
            f'<TR><TD ALIGN="LEFT" PORT="c{number}">{_text(column.name)}</TD>'
            f'<TD ALIGN="LEFT"><FONT COLOR="#475569">{_text(column.type)}{null}</FONT></TD>'
            f'<TD ALIGN="LEFT"><FONT COLOR="#475569">{keys}</FONT></TD></TR>'
        )
    table_options = 'BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="5" COLOR="#94a3b8"'
    return f"<TABLE {table_options}>{''.join(rows)}</TABLE>"


def _text(text: str) -> str:
    """Return a text for a label, in which XML's own characters and no others mean something."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    return escape(shown) or " "
