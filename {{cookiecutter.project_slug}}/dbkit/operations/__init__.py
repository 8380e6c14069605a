"""`op.*` for tables that are in use, and for SQL files; importing registers the operations.

On PostgreSQL those for tables in use take only locks that let others read and write, or that last a
moment. Each commits every statement for itself, so a revision holds such operations and nothing
else; repeated after an interruption, each does what is left to do. On SQLite they are ordinary
operations.
"""

import dbkit.operations.sqlite_batches  # noqa: F401 - replaces op.batch_alter_table on SQLite
from dbkit.operations.backfill import Backfill
from dbkit.operations.columns import ColumnOperations
from dbkit.operations.constraints import ConstraintOperations
from dbkit.operations.enums import EnumOperations
from dbkit.operations.indexes import IndexOperations
from dbkit.operations.sql_file import SqlFile

__all__ = [
    "Backfill",
    "ColumnOperations",
    "ConstraintOperations",
    "EnumOperations",
    "IndexOperations",
    "SqlFile",
]
