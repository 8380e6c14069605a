"""One difference between two databases, with what SQL has to know about the object around it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dbkit.schema.difference import Difference
from dbkit.schema.names import parts_of
from dbkit.schema.picture import Picture, SchemaObject

KEEP = (
    "it may hold data: write a model or a revision for it, name it in leave_alone, or drop it in a "
    "revision"
)
OF_THE_PARENT = "that of the parent"  # of a partition, which gets and loses it with its parent
Statements = list[str] | None  # None: no statement would do


@dataclass(frozen=True)
class Change:
    """What a database has to become.

    Args:
        difference: its first object is the one that is expected, its second the one that was found.
        expected: the picture that the database should have.
        found: the picture that it has.
    """

    difference: Difference
    expected: Picture
    found: Picture

    @property
    def one(self) -> SchemaObject:
        """The expected object, or the one that was found where none is expected."""
        one = self.difference.first or self.difference.second
        assert one is not None  # noqa: S101 - for the type checker
        return one

    @property
    def parent(self) -> SchemaObject:
        """The table or other object that it belongs to."""
        key = self.one.parent or ""
        return self.found.objects.get(key) or self.expected.objects[key]

    @property
    def own_name(self) -> str:
        """Its name without that of its parent."""
        return self.one.name.removeprefix(f"{self.parent.name}.")

    def wanted(self, facet: str) -> Any:
        """A property as it should be."""
        return self.difference.first and self.difference.first.definition.get(facet)

    def had(self, facet: str) -> Any:
        """A property as it is."""
        return self.difference.second and self.difference.second.definition.get(facet)

    def children(self) -> Iterator["Change"]:
        """What the expected object brings along, as something that is missing."""
        for child in self.expected.objects.values():
            if child.parent == self.one.key:
                yield Change(Difference(child, None), self.expected, self.found)


Handler = Callable[[Change], Statements]


@dataclass(frozen=True)
class Kind:
    """How objects of one kind are made, dropped and altered.

    Args:
        create: the statements that make it.
        covered: properties that `create` gives it.
        drop: the statements that drop it; None where that could lose data.
        replace: alters what `covered` names, in place; None where it is dropped and created.
        alter: a function for each property that has a command of its own.
        instead: what to do where nothing here may be done for the reader.
    """

    create: Handler = lambda _change: None
    covered: frozenset[str] = frozenset()
    drop: Handler = lambda _change: None
    replace: Handler | None = None
    alter: dict[str, Handler] = field(default_factory=dict)
    instead: Callable[[Change], str | None] = lambda _change: None


def is_partitioned(change: Change) -> bool:
    """Tell whether the object's table is partitioned."""
    return "partitioned" in change.parent.definition


def last_part(name: str) -> str:
    """Return a name without the schema, or the table, before it."""
    return parts_of(name)[-1]


def holder(change: Change) -> str:
    """Return the table or domain of a constraint, as ALTER names it."""
    return f"{'DOMAIN' if change.parent.kind == 'type' else 'TABLE'} {change.parent.name}"


def literal(text: str) -> str:
    """Return a text as SQL: https://www.postgresql.org/docs/current/sql-syntax-lexical.html."""
    quoted = text.replace("'", "''")
    return f" E'{quoted}'".replace("\\", "\\\\") if "\\" in text else f"'{quoted}'"


def set_options(change: Change, facet: str, command: str, prefix: str = "") -> Statements:
    """Return SET and RESET for a list such as `fillfactor=70`."""
    wanted = [option.partition("=") for option in change.wanted(facet) or ()]
    had = [option.partition("=") for option in change.had(facet) or ()]
    names = {name for name, _, _ in wanted}
    changed = [f"{prefix}{name} = {literal(value)}" for name, _, value in wanted]
    gone = [f"{prefix}{name}" for name, _, _ in had if name not in names]
    statements = [f"{command} SET ({', '.join(changed)});"] if changed else []
    return statements + ([f"{command} RESET ({', '.join(gone)});"] if gone else [])


def drop(change: Change) -> Statements:
    """Drop an object that has a name of its own."""
    return [f"DROP {change.one.kind.upper()} {change.one.name};"]


def ended(statement: str) -> str:
    """Return a statement with its semicolon."""
    return statement if statement.endswith(";") else f"{statement};"
