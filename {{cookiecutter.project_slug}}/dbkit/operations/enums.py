"""Enum types of PostgreSQL: `op.create_enum`, `op.drop_enum` and two operations for their values.

On SQLite, which has no such types, they do nothing.
https://www.postgresql.org/docs/current/datatype-enum.html
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError
from sqlalchemy import DDL
from sqlalchemy.exc import DBAPIError

from dbkit.errors import driver_error, sqlstate
from dbkit.operations.sql import execute, quote_table, works_online

REPLACE = Path(__file__).with_name("replace_enum_values.sql")
REFUSED = "DK001"  # SQLSTATE of what that file refuses; its words show no value of a row


@Operations.register_operation("create_enum")
@Operations.register_operation("drop_enum")
@Operations.register_operation("extend_enum")
@Operations.register_operation("replace_enum_values")
class EnumOperations(MigrateOperation):
    """Registers the four operations."""

    @classmethod
    def create_enum(
        cls, operations: Operations, name: str, values: Iterable[str], *, schema: str | None = None
    ) -> None:
        """Create an enum type, for columns of `sa.Enum(…, create_type=False)`."""
        if works_online(operations):
            listed = ", ".join(map(_literal, values))
            execute(
                operations,
                f"CREATE TYPE {quote_table(operations, name, schema)} AS ENUM ({listed})",
            )

    @classmethod
    def drop_enum(cls, operations: Operations, name: str, *, schema: str | None = None) -> None:
        """Drop an enum type that nothing uses any more."""
        if works_online(operations):
            execute(operations, f"DROP TYPE {quote_table(operations, name, schema)}")

    @classmethod
    def extend_enum(
        cls,
        operations: Operations,
        name: str,
        value: str,
        *,
        before: str | None = None,
        after: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Add a value to an enum type, as the last one unless it says `before` or `after` which.

        It locks no table. The same transaction cannot use the value: put a default or an UPDATE
        with it into the next revision. https://www.postgresql.org/docs/current/sql-altertype.html
        """
        if works_online(operations):
            places = {"BEFORE": before, "AFTER": after}
            place = "".join(f" {word} {_literal(one)}" for word, one in places.items() if one)
            kind = quote_table(operations, name, schema)
            execute(operations, f"ALTER TYPE {kind} ADD VALUE {_literal(value)}{place}")

    @classmethod
    def replace_enum_values(
        cls,
        operations: Operations,
        name: str,
        values: Iterable[str],
        *,
        renamed: Mapping[str, str] | None = None,
        schema: str | None = None,
    ) -> None:
        """Give an enum type other values, or the same ones in another order.

        If more changes than names, a new type takes the place of the old one in every column;
        defaults, constraints and indexes that have a value of it are made again.
        Locks: ACCESS EXCLUSIVE on the tables that have the type, while their rows are written anew;
        none if only names change.

        Args:
            values: all values, in their order.
            renamed: new names by old ones. If both were values before, rows with the old one get
                the other.

        Raises:
            CommandError: there is no such type, rows have a value that goes, or a view, function
                or other object that cannot be made again uses the type.
        """
        if not works_online(operations):
            return
        pairs, wanted = dict(renamed or {}), [*values]
        if unknown := {*pairs.values()} - {*wanted}:
            raise CommandError(f"op.replace_enum_values: {min(unknown)!r} is none of the values")
        arguments = {
            "type": quote_table(operations, name, schema),
            "values": wanted,
            "old": [*pairs],
            "new": [*pairs.values()],
        }
        try:
            # SQLAlchemy forgets the columns' types after a statement of this kind alone.
            statement = DDL(_statement(arguments).replace("%", "%%"))  # type: ignore[no-untyped-call]
            operations.execute(statement)
        except DBAPIError as error:
            if sqlstate(error) != REFUSED:
                raise
            raise CommandError(str(driver_error(error).args[0])) from error


def _statement(arguments: Mapping[str, object]) -> str:
    """Return the statement that gives a type other values."""
    literal = _literal(json.dumps(arguments, ensure_ascii=False))
    tag = "replace"
    while f"${tag}$" in literal:
        tag += "_"
    text = REPLACE.read_text("utf-8")
    text = text[text.index("DO ") :].rstrip().replace("$tag$", f"${tag}$")
    return text.replace(":arguments", literal)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
