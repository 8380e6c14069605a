"""`op.*` for tables that are in use; importing the package registers the operations.

On PostgreSQL they take only locks that let others read and write, or that last a moment. Each
commits every statement for itself, so a revision holds such operations and nothing else; repeated
after an interruption, each does what is left to do. On SQLite they are ordinary operations.
"""

import dbkit.operations.sqlite_batches  # noqa: F401 - replaces op.batch_alter_table on SQLite
from dbkit.operations.backfill import Backfill
from dbkit.operations.columns import ColumnOperations
from dbkit.operations.constraints import ConstraintOperations
from dbkit.operations.enums import EnumOperations
from dbkit.operations.indexes import IndexOperations

__all__ = [
    "Backfill",
    "ColumnOperations",
    "ConstraintOperations",
    "EnumOperations",
    "IndexOperations",
]
