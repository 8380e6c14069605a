"""Names as PostgreSQL writes them, such as `public."Order".id`, and their parts.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
"""

import re
from functools import cache

QUOTED = r'"(?:[^"]|"")*"'
PART = re.compile(rf"{QUOTED}|[^.]+")


def parts_of(name: str) -> list[str]:
    """Split a name at its dots, but not inside of quotes, which stay."""
    found: list[str] = PART.findall(name)
    return found


@cache
def names_in(name: str) -> tuple[str, ...]:
    """Split a name into its parts without quotes."""
    return tuple(
        part[1:-1].replace('""', '"') if re.fullmatch(QUOTED, part) else part
        for part in parts_of(name)
    )
