"""SQL out of SQLite's own texts, as SQLAlchemy takes it."""

import re
from typing import Any

from sqlalchemy import TextClause, text

LITERAL = re.compile(r"""[xX]?'(?:[^']|'')*'|"(?:[^"]|"")*"|[-+]?\s*[\w.]+""")


def expression_of(computed: str) -> Any:
    """Return the expression of a computed column, such as `(a * 2) STORED`."""
    return plain(computed.rpartition(" ")[0])


def plain(expression: str) -> Any:
    """Return an expression without its outermost parentheses, in which `:name` is no parameter."""
    return without_parameters(expression[1:-1])


def as_default(expression: str) -> str:
    """Return what a pragma says of a default as it stands in SQL: all but a literal in parentheses.

    https://www.sqlite.org/lang_createtable.html#the_default_clause
    """
    return expression if LITERAL.fullmatch(expression) else f"({expression})"


def without_parameters(sql: str) -> TextClause:
    """Return SQL in which `:name` is no parameter."""
    return text(sql.replace(":", r"\:"))
