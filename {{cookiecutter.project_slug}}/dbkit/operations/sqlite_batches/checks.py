"""CHECKs of a table on SQLite, of which SQLAlchemy does not read all."""

from collections.abc import Sequence

from alembic.operations.batch import ApplyBatchImpl
from sqlalchemy import CheckConstraint, MetaData, Table
from sqlalchemy.schema import conv

from dbkit.operations.sqlite_batches.expressions import plain
from dbkit.schema.sqlite_sql import Statement


def checks_of(table: Table, statement: Statement) -> list[CheckConstraint]:
    """Return the CHECKs of a table in the order of its text, with or without a name."""
    owner = Table(table.name, MetaData())  # which gives no names
    return [
        CheckConstraint(plain(expression), name=conv(name) if name else None, table=owner)
        for name, expression in statement.checks
    ]


def replace_checks(batch: ApplyBatchImpl, checks: Sequence[CheckConstraint]) -> None:
    """Replace the CHECKs that were reflected."""
    kept = (one for one in batch.unnamed_constraints if not isinstance(one, CheckConstraint))
    batch.unnamed_constraints = list(kept)
    batch.named_constraints = {
        name: one
        for name, one in batch.named_constraints.items()
        if not isinstance(one, CheckConstraint)
    }
    # A revision that restates CHECKs in `table_args` restates all without a name, says Alembic.
    is_restated = any(isinstance(one, CheckConstraint) for one in batch.table_args)
    for check in checks:
        if check.name and str(check.name) not in batch.named_constraints:
            batch.named_constraints[str(check.name)] = check
        elif check.name or not is_restated:  # a name may be that of several
            batch.unnamed_constraints.append(check)
