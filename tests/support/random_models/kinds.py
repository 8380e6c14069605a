"""Types of random columns, with the values and conditions that fit them: `kinds.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

FAMILIES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text("utf-8"))


class Utc(sa.TypeDecorator[Any]):
    """A type of the service's own over one with an argument."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True


class ShortText(sa.TypeDecorator[Any]):
    """The same over text."""

    impl = sa.String(40)
    cache_ok = True


class Money(sa.TypeDecorator[Any]):
    """The same over numbers."""

    impl = sa.Numeric(8, 3)
    cache_ok = True


class Document(sa.TypeDecorator[Any]):
    """The same over JSON, which is another type on each database."""

    impl = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    cache_ok = True


class Choice(sa.TypeDecorator[Any]):
    """The same over an enum type, with its arguments."""

    impl = sa.Enum
    cache_ok = True


NAMESPACE = {
    "sa": sa,
    "postgresql": postgresql,
    **{one.__name__: one for one in (Utc, ShortText, Money, Document, Choice)},
}


@dataclass(frozen=True)
class Kind:
    """A column's type.

    Args:
        source: as Python has it; `{name!r}` is the column's name.
        family: of those in `kinds.toml`.
    """

    source: str
    family: str

    @property
    def is_sorted(self) -> bool:
        """Whether a B-tree can have it."""
        return self.family != "json"

    @property
    def casts(self) -> str:
        """Types of the same word are cast to each other without USING; "" if to none."""
        return str(FAMILIES[self.family].get("casts", ""))

    def without_check(self) -> "Kind":
        """The same type without a CHECK of its own."""
        return Kind("sa.Boolean()", self.family) if self.family == "boolean" else self

    def fits(self, other: "Kind") -> bool:
        """Whether conditions and expressions of the other type fit this one."""
        words = {FAMILIES[kind.family].get("compatible", kind.family) for kind in (self, other)}
        return len(words) == 1


def choices(family: str, what: str, *, is_postgresql: bool) -> list[str]:
    """Return the `values`, `conditions`, … of a family, on one database."""
    found = FAMILIES[family]
    return [*found.get(what, ()), *(found.get(f"postgresql_{what}", ()) if is_postgresql else ())]


def kinds(*, is_postgresql: bool) -> list[Kind]:
    """Return all types but enums."""
    return [
        Kind(source, family)
        for family in FAMILIES
        for source in choices(family, "types", is_postgresql=is_postgresql)
    ]
