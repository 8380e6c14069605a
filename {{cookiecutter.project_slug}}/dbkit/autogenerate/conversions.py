"""SQL that makes values of one type of PostgreSQL's from those of another, where one is right.

PostgreSQL converts by itself what it would convert in an assignment. For all else, ALTER TABLE
wants an expression. https://www.postgresql.org/docs/current/sql-altertable.html
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dbkit.schema.mending.change import literal

# An assignment converts by a cast of such a context, and to every type of text.
# https://www.postgresql.org/docs/current/catalog-pg-cast.html
IS_ASSIGNED = """
    SELECT coalesce((SELECT typcategory = 'S' FROM pg_type WHERE oid = to_regtype($2)), false)
        OR EXISTS (SELECT FROM pg_cast WHERE castsource = to_regtype($1)
            AND casttarget = to_regtype($2) AND castcontext IN ('a', 'i'))
"""
JSON = ("json", "jsonb")
AS_TEXT = " #>> '{}'"  # of JSON, without the quotes around it
TEXT = ("text", "character varying", "character")
NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
MODIFIER = re.compile(r"\(\d+(?:,-?\d+)?\)")


def without_modifier(kind: str) -> str:
    """Return a type without length or precision, which the column asks of its values by itself.

    A cast cuts without a word what is too long. Of `bit`, whose length is 1 by default, it stays.
    """
    return kind if kind.startswith("bit(") else MODIFIER.sub("", kind)


@dataclass(frozen=True)
class Conversions:
    """What one server converts.

    Args:
        connection: of it, in a transaction.
        enums: the values of enum types, of which some need not be there yet.
        home: the schema whose name is not written.
    """

    connection: Connection
    enums: Mapping[str, Collection[str]]
    home: str

    def both_ways(self, column: str, old: str, new: str) -> tuple[str | None, str | None]:
        """Return the expressions for a change of type, and for taking it back.

        Each is "" where the server needs none, and None where there is none. What becomes an array
        of one element becomes that element again, and what became text is read from it.
        """
        old, new = without_modifier(old), without_modifier(new)
        if old == new:
            return "", ""
        if old.endswith("[]") and new in TEXT:
            return "", f"{column}::text::{self._named(old)}"
        if new.endswith("[]") and not old.endswith("[]"):
            return self._using(column, old, new), self._from_array(column, new, old)
        return self._using(column, old, new), self._using(column, new, old)

    def values_that_fail(self, old: str, new: str) -> list[str]:
        """Return the values of an enum type that are none of another type."""
        if new in (*JSON, *TEXT) or new.endswith("[]"):
            return []
        if new in self.enums:
            return [value for value in self.enums.get(old, ()) if value not in self.enums[new]]
        return [
            value
            for value in self.enums.get(old, ())
            if not self._is_one(value, without_modifier(new))
        ]

    def _using(self, column: str, old: str, new: str) -> str | None:
        sql = self._converted(column, old, new)
        return "" if sql == column else sql

    def _converted(self, value: str, old: str, new: str) -> str | None:
        """Return SQL that can be assigned to a column of the type `new`; None if there is none."""
        if old == new:
            return value
        if new in JSON and old not in (*JSON, *TEXT):
            return f"to_{new}({value})"
        if old.endswith("[]") and new.endswith("[]"):
            return self._between_arrays(value, old, new)
        if new.endswith("[]"):
            return self._to_array(value, old, new)
        if old.endswith("[]") and new not in TEXT:
            return self._from_array(value, old, new)
        if old in self.enums and new not in TEXT:  # only text is converted to an enum, and back
            return self._converted(f"{value}::text", "text", new)
        if new in self.enums and old not in JSON:
            text = self._converted(value, old, "text")
            is_text = text is None or text.endswith("::text")
            return text and f"{text}{'' if is_text else '::text'}::{self._named(new)}"
        if old == "bytea" and new in TEXT:
            return f"convert_from({value}, 'UTF8')"
        if old in TEXT and new == "bytea":
            return f"convert_to({value}, 'UTF8')"
        if old in NUMBERS and new == "boolean":
            return f"{value} <> 0"
        if old == "boolean" and new in NUMBERS:
            return f"{value}::integer"
        return self._cast(value, old, new)

    def _cast(self, value: str, old: str, new: str) -> str | None:
        if self._is_assigned(old, new):
            return value
        if new not in self.enums and self._can_cast(old, new):
            return f"{value}::{self._named(new)}"
        if old in JSON and not new.endswith("[]"):
            return f"({value}{AS_TEXT})::{self._named(new)}"
        is_number = new in NUMBERS and self._can_cast(old, "numeric")  # `money` is such a type
        return f"{value}::numeric" if is_number else None

    def _between_arrays(self, value: str, old: str, new: str) -> str | None:
        if self.enums.keys() & {old.removesuffix("[]"), new.removesuffix("[]")}:
            return f"{value}::text[]::{self._named(new)}"
        return self._cast(value, old, new)

    def _to_array(self, value: str, old: str, new: str) -> str | None:
        if old in JSON:  # it may hold one, which only a query takes out
            return None
        element = self._converted(value, old, new.removesuffix("[]"))
        return element and f"CASE WHEN {value} IS NOT NULL THEN ARRAY[{element}] END"

    def _from_array(self, value: str, old: str, new: str) -> str | None:
        if new in JSON:
            return None
        return self._converted(f"{value}[1]", old.removesuffix("[]"), new)

    def _named(self, kind: str) -> str:
        return kind.removeprefix(f"{self.home}.")

    def _is_assigned(self, old: str, new: str) -> bool:
        pair = old.removesuffix("[]"), new.removesuffix("[]")
        return bool(self.connection.exec_driver_sql(IS_ASSIGNED, pair).scalar_one())

    def _can_cast(self, old: str, new: str) -> bool:
        return self._works(f"SELECT NULL::{old}::{new}")

    def _is_one(self, value: str, kind: str) -> bool:
        return self._works(f"SELECT {literal(value)}::text::{kind}")

    def _works(self, query: str) -> bool:
        try:
            with self.connection.begin_nested():
                self.connection.exec_driver_sql(query)
        except DBAPIError:
            return False
        return True
