"""A constraint in two steps: added unproved, which takes a moment, and then validated.

https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from collections.abc import Callable, Sequence
from typing import Any

from alembic.operations import Operations, ops
from alembic.util import CommandError
from sqlalchemy.exc import IntegrityError

from dbkit.alembic_internals import final_constraint_name
from dbkit.operations.statements import (
    TEMPORARY,
    after_autovacuum,
    likeness,
    offline,
    quoted,
    quoted_table,
    run,
)
from dbkit.transactions import autocommit_operation

# https://www.postgresql.org/docs/current/catalog-pg-constraint.html
CONSTRAINT = """
    SELECT contype::text, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''),
           confrelid = to_regclass($3),
           ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, place)
                 JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place),
           ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(number, place)
                 JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY place)
    FROM pg_constraint WHERE conrelid = to_regclass($1) AND conname = $2
"""


def add_check(
    operations: Operations, constraint: str, table: str, condition: Any, schema: str | None
) -> None:
    """Add a CHECK on PostgreSQL; see `create_check_constraint_online`."""

    def same(found: Sequence[Any]) -> bool:
        with likeness(operations, table, schema) as temporary:
            name = operations.f("migrator_check")
            operations.create_check_constraint(name, table, condition, schema=TEMPORARY)
            like = look(operations, temporary, name)
            return like is not None and found[:2] == like[:2]

    wanted = ops.CreateCheckConstraintOp(
        constraint, table, condition, schema=schema, postgresql_not_valid=True
    )
    add_and_validate(operations, wanted, quoted_table(operations, table, schema), same)


def add_and_validate(
    operations: Operations,
    wanted: ops.AddConstraintOp,
    table: str,
    same: Callable[[Sequence[Any]], bool],
    referent: str | None = None,
) -> None:
    """Do what is left of the two steps; what exists under the name must be the `same`."""
    context = operations.migration_context
    name = final_name(operations, wanted)
    with autocommit_operation(context):
        found = look(operations, table, name, referent)
        if found is None:
            with after_autovacuum(operations, table):
                operations.invoke(wanted)
        elif not same(found):
            raise is_another(name, found)
        name = quoted(operations, name)
        try:
            # Nothing to do for one that is valid: an earlier attempt got as far.
            run(operations, f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        except IntegrityError:
            # The rows there break it. Unproved it would still refuse new ones of the kind.
            with after_autovacuum(operations, table):
                run(operations, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            raise


def look(
    operations: Operations, table: str, name: str, referent: str | None = None
) -> Sequence[Any] | None:
    """The constraint of a name: kind, text, whether it refers to `referent`, columns of both."""
    rows = [] if offline(operations) else run(operations, CONSTRAINT, table, name, referent)
    return tuple(rows[0]) if rows else None


def final_name(operations: Operations, wanted: ops.AddConstraintOp) -> str:
    """Its name in the database, with the prefix of the naming convention."""
    context = operations.migration_context
    return str(final_constraint_name(wanted.to_constraint(context), context.dialect))


def is_another(name: str, found: Sequence[Any]) -> CommandError:
    """What exists under that name is not what was asked for."""
    return CommandError(
        f"constraint {name} exists and is another one: {found[1]}; "
        "drop it first, or change the name"
    )
