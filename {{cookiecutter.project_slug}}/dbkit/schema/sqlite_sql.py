"""Takes apart what SQLite keeps as text alone: the CREATE TABLE statement.

CHECKs, computed columns, COLLATE, AUTOINCREMENT and DEFERRABLE are in no pragma:
https://www.sqlite.org/lang_createtable.html
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

from dbkit.schema.sqlite_tokens import joined, name_of, written

OF_A_TABLE = {"CONSTRAINT", "CHECK", "PRIMARY", "UNIQUE", "FOREIGN"}
CONFLICTS = {"NULL", "KEY", "UNIQUE", "CHECK"}  # what ON CONFLICT can stand behind


class Statement:
    """A CREATE TABLE statement.

    Args:
        sql: as `sqlite_master` has it.
    """

    def __init__(self, sql: str) -> None:
        self.text = sql
        self.is_virtual = written(sql)[1].upper() == "VIRTUAL"
        self.options: list[str] = []  # `strict`, `without rowid`
        self.columns: dict[str, dict[str, Any]] = {}  # what no pragma says, by column in lower case
        self.checks: list[tuple[str | None, str]] = []  # name and expression, as it is written
        # By the columns of a foreign key and the table that it refers to.
        self.deferrable: dict[tuple[str, ...], str] = {}
        # What ON CONFLICT says, by NULL, KEY or UNIQUE, and columns.
        self.conflicts: dict[tuple[str, tuple[str, ...]], str] = {}
        # Names by UNIQUE or FOREIGN, and columns; behind those of a foreign key, its other table.
        self.names: dict[tuple[str, tuple[str, ...]], str | None] = {}
        for clause in self._clauses:
            if clause[0].upper() in OF_A_TABLE:
                self._read_parts(clause, None)
            else:
                self.columns[name_of(clause[0]).lower()] = self._read_parts(clause[1:], clause[0])

    @property
    def has_autoincrement(self) -> bool:
        """True where SQLite gives no number twice."""
        return any("autoincrement" in column for column in self.columns.values())

    @cached_property
    def _clauses(self) -> list[list[str]]:
        """The columns and constraints between the outermost parentheses."""
        tokens = written(self.text)
        start = tokens.index("(") if "(" in tokens else len(tokens)
        clauses, depth = [list[str]()], 0
        for number, word in enumerate(tokens[start + 1 :], start + 1):
            depth += {"(": 1, ")": -1}.get(word, 0)
            if depth < 0:
                self._read_options(tokens[number + 1 :])
                break
            if word == "," and depth == 0:
                clauses.append([])
            else:
                clauses[-1].append(word)
        return [clause for clause in clauses if clause]

    def _read_options(self, tokens: list[str]) -> None:
        """Take what stands behind the parentheses."""
        options = " ".join(tokens).lower().split(",")
        self.options = sorted(option.strip() for option in options if option.strip())

    def _read_parts(self, tokens: list[str], column: str | None) -> dict[str, Any]:
        """Take what no pragma says out of a column's definition or a constraint."""
        found: dict[str, Any] = {}
        name: str | None = None
        key: tuple[str, ...] = (name_of(column),) if column else ()
        reference: tuple[str, ...] = ()
        parts = list(_with_groups(tokens))
        for number, (token, group) in enumerate(parts):
            following = [part[0] for part in parts[number + 1 : number + 4]]
            is_name = number > 0 and parts[number - 1][0].upper() == "CONSTRAINT"
            match "" if is_name else token.upper():
                case "CONSTRAINT":
                    name = name_of(following[0])
                case "CHECK":
                    self.checks.append((name, group))
                    name = None
                case "COLLATE" if column:
                    found["collation"] = name_of(following[0]).upper()
                case "AUTOINCREMENT":
                    found["autoincrement"] = True
                case "AS" if group:
                    kind = "STORED" if following and following[0].upper() == "STORED" else "VIRTUAL"
                    found["computed"] = f"{group} {kind}"
                case "NOT" | "NULL" | "DEFAULT" | "PRIMARY":
                    name = None
                case "UNIQUE":
                    self.names["UNIQUE", _lower(key or _names(group))] = name
                    name = None
                case "FOREIGN":
                    key = _names(parts[number + 1][1])
                case "REFERENCES":
                    reference = _lower((*key, name_of(following[0])))
                    self.names["FOREIGN", reference] = name
                    name = None
                case "CONFLICT":
                    before = [each for each in parts[:number] if each[0].upper() in CONFLICTS][-1]
                    columns = key if column else _names(before[1])
                    self.conflicts[before[0].upper(), _lower(columns)] = following[0].upper()
                case "DEFERRABLE" if number == 0 or parts[number - 1][0].upper() != "NOT":
                    is_said = [word.upper() for word in following[:1]] == ["INITIALLY"]
                    when = following[1].upper() if is_said else "IMMEDIATE"
                    self.deferrable[reference] = when
        return found


def _with_groups(tokens: list[str]) -> Iterator[tuple[str, str]]:
    """Each token outside of parentheses, with the text of the parentheses behind it."""
    word, group, depth = "", list[str](), 0
    for part in tokens:
        depth += part == "("
        if depth == 0:
            if word:
                yield word, joined(group)
            word, group = part, []
        else:
            group.append(part)
        depth -= part == ")"
    if word:
        yield word, joined(group)


def _names(group: str) -> tuple[str, ...]:
    """Return the names in parentheses, without what COLLATE, ASC or DESC says of them."""
    found = list[str]()
    for before, token in pairwise(written(group)):
        if before in ("(", ","):
            found.append(name_of(token))
    return tuple(found)


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)
