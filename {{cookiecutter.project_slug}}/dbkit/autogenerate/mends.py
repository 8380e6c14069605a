"""Adds SQL to a revision for what Alembic has not written: what two databases show is missing."""

import re
from collections.abc import Iterable

from alembic.operations import ops

from dbkit.autogenerate.proof import Outcome
from dbkit.autogenerate.sqlite_tables import use_texts
from dbkit.autogenerate.statements import Statement

CONCURRENTLY = re.compile(r"\b(INDEX) CONCURRENTLY\b")


def add_mends(scripts: list[ops.MigrationScript], outcome: Outcome) -> bool:
    """Add SQL for what the upgrade does not write; if that is nothing, for what the downgrade does.

    It goes into the first file, because one with indexes alone is not in a transaction.

    A dropped table of SQLite that came back different is made by its own text.

    Returns:
        Whether there was any.
    """
    # The last of several, which a hook of the service's may have made of one.
    upgrade, downgrade = scripts[0].upgrade_ops_list[-1], scripts[0].downgrade_ops_list[-1]
    if any(_is_concurrent(op) for op in upgrade.ops):
        return False
    container, statements = (
        (upgrade, outcome.mends) if outcome.mends else (downgrade, outcome.downgrade_mends)
    )
    mends = [Statement(CONCURRENTLY.sub(r"\1", sql), "") for sql in statements]
    there = {op.sqltext for op in container.ops if isinstance(op, Statement)}
    new = [mend for mend in mends if mend.sqltext not in there]  # the others did not help
    container.ops += new
    return use_texts(downgrade, outcome.left) or bool(new)


def _is_concurrent(op: ops.MigrateOperation) -> bool:
    inner: Iterable[ops.MigrateOperation] = op.ops if isinstance(op, ops.OpContainer) else [op]
    return any(getattr(each, "kw", {}).get("postgresql_concurrently") for each in inner)
