"""Compares CHECK constraints by what one server says of both sides.

A plug-in of Alembic's, whose own compares by names, uncut, and does not know which of them a type
leaves out: `Boolean(create_constraint=True)` makes none on PostgreSQL.
https://alembic.sqlalchemy.org/en/latest/api/plugins.html
"""

import re

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import CheckConstraint, Table
from sqlalchemy.sql.elements import conv

from dbkit.autogenerate.column_checks import column_checks
from dbkit.autogenerate.statements import escaped
from dbkit.autogenerate.two_pictures import PICTURES, TwoPictures, final_name

NAME = "dbkit.check_constraints"
CONDITION = re.compile(r"(?:CHECK )?\((?P<condition>.*)\)(?: NO INHERIT)?", re.DOTALL)


def compare(
    context: AutogenContext,
    changes: ops.ModifyTableOps,
    schema: str | None,
    name: str,
    found: Table | None,
    wanted: Table | None,
) -> PriorityDispatchResult:
    """Add operations for the CHECKs of a table that both sides have."""
    pictures: TwoPictures | None = context.opts.get(PICTURES)
    if pictures is None or found is None or wanted is None:
        return PriorityDispatchResult.CONTINUE
    dialect = pictures.dialect
    models = {
        final_name(item, dialect): item
        for item in (*wanted.constraints, *column_checks(wanted, dialect))
        if isinstance(item, CheckConstraint)
    }
    before, after = pictures.checks(schema, name)
    for check in sorted(before.keys() | after.keys()):
        if before.get(check) == after.get(check):
            continue
        old = _reflected(check, before[check], found) if check in before else None
        new = models.get(check) if check in after else None
        if old is not None and check not in after:
            is_wanted = context.run_object_filters(old, check, "check_constraint", True, None)
        else:
            is_wanted = new is not None and context.run_object_filters(
                new, check, "check_constraint", False, old
            )
        if is_wanted and old is not None:
            changes.ops.append(ops.DropConstraintOp.from_constraint(old))
        if is_wanted and new is not None:
            changes.ops.append(ops.AddConstraintOp.from_constraint(new))
    return PriorityDispatchResult.CONTINUE


def _reflected(name: str, definition: str, table: Table) -> CheckConstraint:
    """Return a CHECK of a picture; its name is the whole name, whatever the convention."""
    match = CONDITION.fullmatch(definition)
    condition = match["condition"] if match else definition
    # The convention is in the name.
    return CheckConstraint(escaped(condition), name=conv(name), table=table)


Plugin(NAME).add_autogenerate_comparator(compare, "table", "checkconstraints")
