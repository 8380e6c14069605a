"""Splits SQL of SQLite into names, numbers, texts and signs: https://www.sqlite.org/lang.html."""

import re
from collections.abc import Iterable

TOKEN = re.compile(
    r"""
    --[^\n]* | /\*.*?\*/                             # a comment
    | [xX]?'(?:[^']|'')*'                            # a text, or bytes
    | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]   # a name
    | 0[xX][\da-fA-F]+                               # a number
    | (?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?
    | [\w$]+(?:\.\w+)?                               # a word, perhaps with its table
    | \|\| | [<>!=]= | <> | << | >> | ->>? | \S
    """,
    re.DOTALL | re.VERBOSE,
)
NAME = re.compile(r"[^\W\d][\w$]*")
# Words that mean something else without quotes.
WORDS = """
ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CAST CHECK COLLATE COMMIT CONSTRAINT CREATE
CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DEFAULT DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE
EXCEPT EXISTS FALSE FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN LIMIT
NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY RAISE REFERENCES RETURNING SELECT SET STORED TABLE THEN
TO TRANSACTION TRUE UNION UNIQUE UPDATE USING VALUES WHEN WHERE
"""
KEYWORDS = {*WORDS.split()}


def written(sql: str) -> list[str]:
    """Split a statement into the tokens that it was written with, without comments."""
    found = (match[0] for match in TOKEN.finditer(sql))
    return [token for token in found if not token.startswith(("--", "/*"))]


def tokens_of(sql: str) -> list[str]:
    """Split a statement that is to be compared: names lose quotes, also some that SQLite needs."""
    return [_unquoted(token) for token in written(sql)]


def joined(tokens: Iterable[str]) -> str:
    """Return tokens as a text with single spaces."""
    text = ""
    for token in tokens:
        space = "" if not text or text.endswith("(") or token in ("(", ",", ")") else " "
        text += space + token
    return text


def normalized(sql: str) -> str:
    """Return what is equal of statements that mean the same: to be compared, not to be run."""
    return joined(tokens_of(sql))


def name_of(token: str) -> str:
    """Return the name that a token is, without its quotes."""
    if len(token) < 2 or token[0] not in "'\"`[":
        return token
    inner = token[1:-1]
    return inner if token[0] == "[" else inner.replace(token[0] * 2, token[0])


def _unquoted(token: str) -> str:
    """Return a name without quotes, if it looks like one then, or else in double quotes."""
    if token[0] not in '"`[' or len(token) < 2:
        return token
    name = name_of(token)
    if NAME.fullmatch(name) and name.upper() not in KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'
