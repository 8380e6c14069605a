"""Splits SQL into statements, each with its line.

SQLite tells where one ends: https://www.sqlite.org/c3ref/complete.html. PostgreSQL tells nobody but
psql, whose rules stand here; sqlparse 0.6 and sqlglot 30 cut nested comments and functions in
standard SQL in two. Each statement is sent alone, so the server refuses what was cut wrongly.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
    --[^\n]* | /\*                                  # a comment; the second kind can be nested
    | [eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|\Z)    # a string with escapes
    | '[^']*(?:''[^']*)*(?:'|\Z)
    | "[^"]*(?:""[^"]*)*(?:"|\Z)
    | \$(?:[^\W\d]\w*)?\$                           # a dollar quote
    | [^\W\d][\w$]*                                 # a word
    | \S
    """,
    re.DOTALL | re.VERBOSE,
)
COMMENT_EDGE = re.compile(r"/\*|\*/")
COMMAND = re.compile(r"[\\.]\w*")
# What begins a body in standard SQL, BEGIN ATOMIC … END, which holds semicolons.
ROUTINE = re.compile(r"CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b")
# Where SQLite's statements can end: a semicolon outside of quotes and comments.
SQLITE_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)|\S""",
    re.DOTALL,
)


@dataclass(frozen=True)
class Statement:
    """One statement, without comments before it and the semicolon behind it.

    Args:
        line: that of its first word, counted from 1.
    """

    text: str
    line: int


class NotSQL(ValueError):
    """Something that a program in front of the database would have understood.

    Args:
        line: where it stands.
        command: its first word.
    """

    def __init__(self, line: int, command: str) -> None:
        super().__init__(command)
        self.line = line
        self.command = command


def split(text: str, dialect: str) -> Iterator[Statement]:
    """Yield the statements of `text`, in SQL of `postgresql` or `sqlite`.

    Raises:
        NotSQL: a command of psql or of the `sqlite3` shell.
    """
    spans = _postgresql(text) if dialect == "postgresql" else _sqlite(text)
    line, counted = 1, 0
    for start, end in spans:
        line, counted = line + text.count("\n", counted, start), start
        if command := COMMAND.match(text, start):
            raise NotSQL(line, command[0])
        yield Statement(text[start:end], line)


def _postgresql(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each statement begins and where its last token ends.

    A backslash outside of quotes is psql's; it is yielded as the beginning of a statement.
    """
    start, end, parentheses, blocks = -1, 0, 0, 0
    words: list[str] = []
    position = 0
    while match := TOKEN.search(text, position):
        part, position = match[0], match.end()
        if part.startswith("--"):
            continue
        if part == "/*":
            position = _end_of_comment(text, position)
            continue
        if part == "\\":
            yield match.start(), position
            continue
        if part == ";" and parentheses == 0 and blocks == 0:
            if start >= 0:
                yield start, end
            start, words = -1, []
            continue
        if part[0] == "$" and len(part) > 1:
            closing = text.find(part, position)
            position = len(text) if closing < 0 else closing + len(part)
        start, end = (match.start() if start < 0 else start), position
        parentheses = max(0, parentheses + (part == "(") - (part == ")"))
        word = part.upper()
        if len(words) < 4:
            words.append(word)
        if parentheses == 0 and word in ("BEGIN", "CASE", "END") and ROUTINE.match(" ".join(words)):
            blocks += {"BEGIN": 1, "CASE": int(blocks > 0), "END": -int(blocks > 0)}[word]
    if start >= 0:
        yield start, end


def _end_of_comment(text: str, position: int) -> int:
    """Return where a comment ends that begins before `position`; another may be nested in it."""
    depth = 1
    while depth and (edge := COMMENT_EDGE.search(text, position)):
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position if depth == 0 else len(text)


def _sqlite(text: str) -> Iterator[tuple[int, int]]:
    """Yield the same for SQLite, whose triggers hold semicolons."""
    start, end = -1, 0
    for match in SQLITE_TOKEN.finditer(text):
        if match[0].startswith(("--", "/*")):
            continue
        if match[0] == ";" and (start < 0 or sqlite3.complete_statement(text[start : match.end()])):
            if start >= 0:
                yield start, end
            start = -1
            continue
        start, end = (match.start() if start < 0 else start), match.end()
    if start >= 0:
        yield start, end
