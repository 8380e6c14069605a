"""`op.batch_alter_table` on SQLite, which keeps what Alembic's copy of a table loses.

Importing the package replaces Alembic's, for revisions written by hand and by autogenerate alike.
https://alembic.sqlalchemy.org/en/latest/batch.html
"""

from dbkit.alembic_internals import replace_batch
from dbkit.operations.sqlite_batches.batch import KeepingBatch
from dbkit.operations.sqlite_batches.flushing import QuietOperations

replace_batch(QuietOperations, KeepingBatch)
