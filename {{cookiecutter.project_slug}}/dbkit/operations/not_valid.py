"""Adds a constraint as NOT VALID, which takes a short lock, and then VALIDATEs it.

https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from alembic.operations import Operations, ops
from alembic.util import CommandError
from sqlalchemy.exc import IntegrityError

from dbkit.operations.sql import (
    execute,
    final_name,
    is_offline,
    quote,
    quote_table,
    short_exclusive_lock,
)
from dbkit.operations.temporary_copy import TEMPORARY_SCHEMA, temporary_copy
from dbkit.transactions import autocommit_operation

# https://www.postgresql.org/docs/current/catalog-pg-constraint.html
CONSTRAINT = """
    SELECT contype::text, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''),
           confrelid = to_regclass($3),
           ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, place)
                 JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place),
           ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(number, place)
                 JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY place)
    FROM pg_constraint WHERE conrelid = to_regclass($1) AND conname = ($2::text)::name
"""


class ExistingConstraint(NamedTuple):
    """A constraint of the database, whether validated or not."""

    kind: str  # c, f or u: check, foreign key, unique
    definition: str
    is_to_referent: bool | None  # whether it refers to the table that was asked about
    columns: list[str]
    referent_columns: list[str]


IsWanted = Callable[[ExistingConstraint], bool]


def add_check(
    operations: Operations, constraint: str, table: str, condition: Any, schema: str | None
) -> None:
    """Add a CHECK on PostgreSQL. Raises: see `add_and_validate`."""

    def is_wanted(found: ExistingConstraint) -> bool:
        with temporary_copy(operations, table, schema) as temporary:
            name = operations.f("migrator_check")
            operations.create_check_constraint(name, table, condition, schema=TEMPORARY_SCHEMA)
            copy = find_constraint(operations, temporary, name)
        return copy is not None and found[:2] == copy[:2]

    wanted = ops.CreateCheckConstraintOp(
        constraint, table, condition, schema=schema, postgresql_not_valid=True
    )
    add_and_validate(operations, wanted, quote_table(operations, table, schema), is_wanted)


def add_and_validate(
    operations: Operations,
    wanted: ops.AddConstraintOp,
    table: str,
    is_wanted: IsWanted,
    referent: str | None = None,
) -> None:
    """Add a constraint as NOT VALID and validate it; after an interruption, do what is left.

    Args:
        wanted: the operation, with `postgresql_not_valid`.
        table: its table, quoted.
        is_wanted: tells whether a constraint that exists under the name is the wanted one.
        referent: the table that a foreign key refers to, quoted.

    Raises:
        CommandError: a constraint of that name exists with another definition.
        IntegrityError: the rows break the constraint, which is dropped again.
    """
    context = operations.migration_context
    name = final_name(operations, wanted.to_constraint(context))
    with autocommit_operation(context):
        found = find_constraint(operations, table, name, referent)
        if found is None:
            with short_exclusive_lock(operations, table):
                operations.invoke(wanted)
        elif not is_wanted(found):
            raise another_definition(name, found)
        quoted = quote(operations, name)
        try:
            # For a constraint that is validated already, by an earlier attempt, this does nothing.
            execute(operations, f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted}")
        except IntegrityError:
            # Existing rows break it. Left as NOT VALID it would still refuse new rows.
            with short_exclusive_lock(operations, table):
                execute(operations, f"ALTER TABLE {table} DROP CONSTRAINT {quoted}")
            raise


def find_constraint(
    operations: Operations, table: str, name: str, referent: str | None = None
) -> ExistingConstraint | None:
    """Return the constraint of that name on a quoted table; None if there is none, or offline."""
    rows = [] if is_offline(operations) else execute(operations, CONSTRAINT, table, name, referent)
    return ExistingConstraint(*rows[0]) if rows else None


def another_definition(name: str, found: ExistingConstraint) -> CommandError:
    """Return the error that a constraint of that name exists with another definition."""
    return CommandError(
        f"constraint {name} exists with another definition: {found.definition}; "
        "drop it first, or choose another name"
    )
