"""What of a dump a revision runs: the objects; no settings of a session, no comments."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dbkit.sql_files import split

HEADING = re.compile(r"-- Name: (.*); Type: (.*); Schema: (.*); Owner:.*")
# Statements about the session of psql, which would go on counting behind the revision.
SESSION = re.compile(r"SET\s|SELECT\s+pg_catalog\.set_config\(", re.IGNORECASE)
VIEW = re.compile(r"CREATE MATERIALIZED VIEW (.+?) (?:USING|WITH|AS)\b")
# Kinds whose name has that of their table before it.
OF_A_TABLE = ("CONSTRAINT", "DEFAULT", "POLICY", "RULE", "TRIGGER")


@dataclass(frozen=True)
class Entry:
    """One object of a dump, as the heading says it: `TABLE`, `FK CONSTRAINT`, `COMMENT`."""

    name: str
    kind: str
    schema: str

    @property
    def names(self) -> set[str]:
        """What `leave_alone` may call it: with and without its schema, and the schema."""
        name = self.name.partition("(")[0].strip()
        words = name.split() or [name]
        found = {name}
        if self.kind.endswith(OF_A_TABLE):
            found = {words[-1]}
        elif self.kind == "COMMENT":  # such as TABLE orders, TRIGGER stamp ON orders
            found = {words[-1], words[min(1, len(words) - 1)]}
        return found | {f"{self.schema}.{each}" for each in found} | {self.schema}


def clean_dump(text: str, patterns: list[str], populated: Collection[str]) -> str:
    """Return the SQL of a schema, one statement after the other.

    Args:
        text: what `pg_dump` printed.
        patterns: names of objects that are left out, as in `leave_alone`.
        populated: materialized views that can be read, which a dump fills with its data.
    """
    kept = [
        statement
        for entry, statement in _statements(text)
        if not (SESSION.match(statement) or _is_left_out(entry, patterns))
    ]
    views = [view[1] for statement in kept if (view := VIEW.match(statement))]
    kept += [f"REFRESH MATERIALIZED VIEW {view}" for view in views if view in populated]
    return "".join(f"{statement};\n\n" for statement in kept).rstrip() + "\n"


def _statements(text: str) -> Iterator[tuple[Entry, str]]:
    """Yield each statement with the entry that it belongs to."""
    # Two lines for psql, at the beginning and at the end, hold a key.
    text = re.sub(r"^\\restrict .*$", "", text, count=1, flags=re.MULTILINE)
    before, line, _key = text.rpartition("\n\\unrestrict ")
    text = before if line else text
    lines, entry, read = text.splitlines(), Entry("", "", ""), 0
    for statement in split(text, "postgresql"):
        for between in lines[read : statement.line - 1]:
            if found := HEADING.fullmatch(between):
                entry = Entry(*found.groups())
        read = statement.line + statement.text.count("\n")
        yield entry, statement.text


def _is_left_out(entry: Entry, patterns: list[str]) -> bool:
    if entry.kind == "COMMENT" and entry.name.startswith("EXTENSION "):
        return True  # its owner's to say, and CREATE EXTENSION has said it
    return any(fnmatchcase(name, pattern) for name in entry.names for pattern in patterns)
