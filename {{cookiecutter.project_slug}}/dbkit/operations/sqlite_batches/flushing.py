"""Runs the operations of one `op.batch_alter_table`."""

from warnings import catch_warnings, filterwarnings

from alembic.operations.batch import BatchOperationsImpl
from sqlalchemy.exc import SAWarning

# What SQLAlchemy says of a table that it reads, and what is kept all the same.
NO_LOSS = "Skipped unsupported reflection of expression-based index|Did not recognize type"


class QuietOperations(BatchOperationsImpl):
    """Alembic's class, without warnings of a loss that does not happen."""

    def flush(self) -> None:
        """Run the operations."""
        with catch_warnings():
            if self.dialect.name == "sqlite":
                filterwarnings("ignore", NO_LOSS, SAWarning)
            super().flush()
