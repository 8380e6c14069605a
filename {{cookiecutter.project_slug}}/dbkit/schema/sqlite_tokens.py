"""Splits SQL of SQLite into words, so that the same in other spaces and quotes is equal."""

import re

TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[\w$]+(?:\.\w+)?|\|\||[<>!=]=|<>|<<|>>|->>?|\S""",
    re.DOTALL,
)
NAME = re.compile(r"[^\W\d][\w$]*")
# Words that are names in quotes alone: https://www.sqlite.org/lang_keywords.html. STORED is here
# because it stands behind a computed column's expression.
WORDS = """
ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CAST CHECK COLLATE COMMIT CONSTRAINT CREATE
CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DEFAULT DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE
EXCEPT EXISTS FALSE FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN LIMIT
NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY RAISE REFERENCES RETURNING SELECT SET STORED TABLE THEN
TO TRANSACTION TRUE UNION UNIQUE UPDATE USING VALUES WHEN WHERE
"""
RESERVED = {*WORDS.split()}


def tokens_of(sql: str) -> list[str]:
    """Split a statement; comments go, and names lose quotes that they do not need."""
    found = (match[0] for match in TOKEN.finditer(sql))
    return [_unquoted(token) for token in found if not token.startswith(("--", "/*"))]


def normalized(sql: str) -> str:
    """The same statement with single spaces and without comments."""
    text = ""
    for token in tokens_of(sql):
        space = "" if not text or text.endswith("(") or token in ("(", ",", ")") else " "
        text += space + token
    return text


def name_of(token: str) -> str:
    """What a name is without the quotes that `tokens_of` has left."""
    quote = token[0] if token[0] in "'\"" else ""
    return token[1:-1].replace(quote * 2, quote) if quote else token


def _unquoted(token: str) -> str:
    quoted = token[0] in '"`[' and len(token) > 1
    inner = token[1:-1].replace('""', '"') if quoted else token
    if not quoted or (NAME.fullmatch(inner) and inner.upper() not in RESERVED):
        return inner
    return '"' + inner.replace('"', '""') + '"'
