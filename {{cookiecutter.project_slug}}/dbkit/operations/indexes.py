"""Indexes on PostgreSQL tables that are in use: `op.create_index_online`, `op.drop_index_online`.

Alembic's own `op.create_index(…, postgresql_concurrently=True)` and `op.drop_index` take the same
road. Everywhere else, and on SQLite, they are what they were.
"""

from collections.abc import Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations, ops, toimpl
from sqlalchemy.exc import DBAPIError

from dbkit.alembic_internals import final_constraint_name
from dbkit.operations.existing_indexes import drop, is_there
from dbkit.operations.statements import is_lost, on_postgresql, setting
from dbkit.transactions import autocommit_operation


@Operations.register_operation("create_index_online")
@Operations.register_operation("drop_index_online")
class IndexOnline(MigrateOperation):
    """Under names that say what they do."""

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
        """Create an index while others read and write.

        Locks: SHARE UPDATE EXCLUSIVE on the table, which stops other changes of the schema and
        VACUUM only, for as long as the table is read, twice, and until every transaction that was
        open has ended. https://www.postgresql.org/docs/current/sql-createindex.html
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
        """Drop an index while others read and write; one that is gone already is no error.

        Locks: SHARE UPDATE EXCLUSIVE, until every transaction that may use the index has ended.
        https://www.postgresql.org/docs/current/sql-dropindex.html
        """
        kw |= {"postgresql_concurrently": True, "if_exists": True}
        operations.invoke(ops.DropIndexOp(index_name, table_name, schema=schema, **kw))


@Operations.implementation_for(ops.CreateIndexOp, replace=True)
def create_index(operations: Operations, operation: ops.CreateIndexOp) -> None:
    """Alembic's, but for concurrent ones."""
    if not (on_postgresql(operations) and operation.kw.get("postgresql_concurrently")):
        toimpl.create_index(operations, operation)
        return
    context = operations.migration_context
    index = operation.to_index(context)
    name = str(final_constraint_name(index, context.dialect))
    with autocommit_operation(context):
        if is_there(operations, operation, name):
            return
        # A lock timeout would strike while it waits for open transactions, and leave the index
        # behind, invalid. Nobody waits for an index that waits.
        with setting(operations, "lock_timeout", "0"):
            try:
                operations.impl.create_index(index)
            except DBAPIError as error:  # duplicates, say: an invalid index would go on refusing
                if not is_lost(error):
                    drop(operations, operation, name)
                raise


@Operations.implementation_for(ops.DropIndexOp, replace=True)
def drop_index(operations: Operations, operation: ops.DropIndexOp) -> None:
    """Alembic's, but for concurrent ones, of which one that is gone already is done."""
    if not (on_postgresql(operations) and operation.kw.get("postgresql_concurrently")):
        toimpl.drop_index(operations, operation)
        return
    index = operation.to_index(operations.migration_context)
    with (
        autocommit_operation(operations.migration_context),
        setting(operations, "lock_timeout", "0"),
    ):
        operations.impl.drop_index(index, if_exists=True)
