"""Changes of a column's default alone, apart from those of its type."""

from typing import Any

from alembic.operations import ops


def changed_default(
    op: ops.AlterColumnOp, before: Any, after: Any, column_type: Any
) -> ops.AlterColumnOp:
    """Return an operation that sets or drops the default of the column that `op` alters.

    Args:
        before: the default that it has, None if it has none.
        after: the one that it gets.
        column_type: that of the column at this time.
    """
    return ops.AlterColumnOp(
        op.table_name,
        op.column_name,
        schema=op.schema,
        existing_type=column_type,
        existing_server_default=before,
        modify_server_default=after,
    )
