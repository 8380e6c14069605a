"""Indexes of tables in use: `op.create_index_online` and `op.drop_index_online`.

Alembic's own `op.create_index(…, postgresql_concurrently=True)` and `op.drop_index` become the
same; without that keyword, and on SQLite, they are unchanged.
"""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations, ops, toimpl
from sqlalchemy.exc import DBAPIError

from dbkit.errors import is_connection_lost
from dbkit.operations.interrupted_indexes import drop_index, keep_or_drop
from dbkit.operations.sql import final_name, session_setting, works_online
from dbkit.transactions import autocommit_operation


@Operations.register_operation("create_index_online")
@Operations.register_operation("drop_index_online")
class IndexOperations(MigrateOperation):
    """Registers `op.create_index_online` and `op.drop_index_online`."""

    @classmethod
    def create_index_online(
        cls,
        operations: Operations,
        index_name: str,
        table_name: str,
        columns: Sequence[Any],
        *,
        schema: str | None = None,
        unique: bool = False,
        **kw: Any,
    ) -> None:
        """Create an index while others read and write; arguments as those of `op.create_index`.

        Locks: SHARE UPDATE EXCLUSIVE on the table, which blocks only other schema changes and
        VACUUM, while the table is read twice, and until every open transaction has ended.
        https://www.postgresql.org/docs/current/sql-createindex.html

        Raises:
            CommandError: an index of that name exists with another definition.
            DBAPIError: the rows do not allow a unique index; no invalid index stays behind.
        """
        kw["postgresql_concurrently"] = True
        operations.invoke(
            ops.CreateIndexOp(index_name, table_name, columns, schema=schema, unique=unique, **kw)
        )

    @classmethod
    def drop_index_online(
        cls,
        operations: Operations,
        index_name: str,
        table_name: str | None = None,
        *,
        schema: str | None = None,
        **kw: Any,
    ) -> None:
        """Drop an index while others read and write; one that does not exist is no error.

        Locks: SHARE UPDATE EXCLUSIVE, until every transaction that may use the index has ended.
        https://www.postgresql.org/docs/current/sql-dropindex.html
        """
        kw |= {"postgresql_concurrently": True, "if_exists": True}
        operations.invoke(ops.DropIndexOp(index_name, table_name, schema=schema, **kw))


@Operations.implementation_for(ops.CreateIndexOp, replace=True)
def _create_index(operations: Operations, operation: ops.CreateIndexOp) -> None:
    if not (works_online(operations) and operation.kw.get("postgresql_concurrently")):
        toimpl.create_index(operations, operation)
        return
    context = operations.migration_context
    index = operation.to_index(context)
    name = final_name(operations, index)
    with autocommit_operation(context):
        if keep_or_drop(operations, operation, name):
            return
        # A lock timeout could strike while the statement waits for open transactions, and would
        # leave an invalid index. Nobody queues behind that wait.
        with session_setting(operations, "lock_timeout", "0"):
            try:
                operations.impl.create_index(index)
            except DBAPIError as error:  # duplicates, say: an invalid index would go on refusing
                if not is_connection_lost(error):
                    drop_index(operations, operation, name)
                raise


@Operations.implementation_for(ops.DropIndexOp, replace=True)
def _drop_index(operations: Operations, operation: ops.DropIndexOp) -> None:
    if not (works_online(operations) and operation.kw.get("postgresql_concurrently")):
        toimpl.drop_index(operations, operation)
        return
    context = operations.migration_context
    index = operation.to_index(context)
    # An interrupted attempt may have dropped it already.
    with autocommit_operation(context), session_setting(operations, "lock_timeout", "0"):
        operations.impl.drop_index(index, if_exists=True)
