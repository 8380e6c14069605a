"""What a change of type silently does to values of PostgreSQL's.

A change that fails with values that do not fit, such as too long a text, is none of these.
https://www.postgresql.org/docs/current/datatype.html
"""

import re
from dataclasses import dataclass

from dbkit.autogenerate.conversions import NUMBERS, TEXT

WHOLE = ("smallint", "integer", "bigint")
FLOATS = {"double precision": 15, "real": 6}  # digits that they keep for certain
DIGITS = {"smallint": 5, "integer": 10, "bigint": 19} | FLOATS
MOMENTS = ("timestamp without time zone", "timestamp with time zone")
TIMES = ("time without time zone", "time with time zone")
OF_A_SECOND = (*MOMENTS, *TIMES, "interval")
MODIFIER = re.compile(r"\((?P<size>\d+)(?:,(?P<scale>-?\d+))?\)")
FIELDS = ("year", "month", "day", "hour", "minute", "second")


@dataclass(frozen=True)
class _Type:
    """A type as PostgreSQL writes it, such as `numeric(5,2)` or `interval day to second(3)`."""

    name: str
    size: int | None
    scale: int

    @classmethod
    def parse(cls, kind: str) -> "_Type":
        found = MODIFIER.search(kind)
        size, scale = (int(part or 0) for part in found.groups()) if found else (None, 0)
        return cls(MODIFIER.sub("", kind.removesuffix("[]")), size, scale)

    @property
    def places(self) -> float:
        """How many digits it keeps behind the point."""
        if self.name in WHOLE:
            return 0
        if self.name == "numeric" and self.size is not None:
            return self.scale
        if self.name in OF_A_SECOND or self.is_interval:
            return 6 if self.size is None else self.size
        return float("inf")

    @property
    def is_interval(self) -> bool:
        return self.name.startswith("interval")

    @property
    def last_field(self) -> int:
        """The number of the smallest part that an interval keeps."""
        last = self.name.rpartition(" ")[2]
        return FIELDS.index(last) if last in FIELDS else len(FIELDS) - 1


def value_change(had: str, wanted: str) -> str | None:
    """Say what PostgreSQL does to values, as in "…, which rounds …"; None if nothing silently.

    Args:
        had: the type that a column had, as PostgreSQL writes it.
        wanted: the one that it gets.
    """
    if had.endswith("[]") and not wanted.endswith("[]"):
        to_text = _Type.parse(wanted).name in TEXT
        return None if to_text or wanted.startswith("json") else "keeps only the first element"
    old, new = _Type.parse(had), _Type.parse(wanted)
    return _of_numbers(old, new) or _of_times(old, new) or _of_others(old.name, new.name)


def _of_numbers(old: _Type, new: _Type) -> str | None:
    if old.name not in NUMBERS or new.name not in (*NUMBERS, "boolean"):
        return None
    if new.name == "boolean":
        return "makes true of every number but 0"
    if new.places < old.places:
        return _rounded(new.places, "behind the point")
    kept = FLOATS.get(new.name, 99)
    has = (old.size if old.name == "numeric" else DIGITS[old.name]) or 99
    if kept < has:
        return f"keeps {kept} digits of a number for certain"
    return None


def _of_times(old: _Type, new: _Type) -> str | None:
    is_moment = old.name in MOMENTS
    zoned = [one.name.endswith("with time zone") for one in (old, new)]
    effects = []
    if new.last_field < old.last_field and old.is_interval and new.is_interval:
        effects.append(f"drops what is smaller than a {FIELDS[new.last_field]}")
    elif old.is_interval and new.name in TIMES:
        effects.append("drops whole days")
    elif is_moment and new.name == "date":
        effects.append("drops the time of day")
    elif is_moment and new.name in TIMES:
        effects.append("drops the date")
    if old.name == "time with time zone" and new.name == "time without time zone":
        effects.append("drops the time zone")
    elif zoned[0] != zoned[1] and {old.name, new.name} <= {*MOMENTS, *TIMES, "date"}:
        effects.append("takes the time zone of the session for values without one")
    same_kind = old.name in OF_A_SECOND or old.is_interval
    if same_kind and (new.name in OF_A_SECOND or new.is_interval) and new.places < old.places:
        effects.append(_rounded(new.places, "of a second"))
    return " and ".join(effects) or None


def _of_others(old: str, new: str) -> str | None:
    return "sets the bits of the host to 0" if (old, new) == ("inet", "cidr") else None


def _rounded(places: float, of_what: str) -> str:
    if places == 0:
        return f"rounds to whole {'seconds' if 'second' in of_what else 'numbers'}"
    return f"rounds to {places:g} {'digit' if places == 1 else 'digits'} {of_what}"
