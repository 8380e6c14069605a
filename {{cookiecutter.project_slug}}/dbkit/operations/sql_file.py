"""`op.run_sql_file`: runs the statements of an SQL file that belongs to the revision."""

from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from dbkit.errors import driver_error, set_location
from dbkit.operations.sql import execute
from dbkit.sql_files import Statement, find_names, read_statements
from dbkit.transactions import GuardedContext


@Operations.register_operation("run_sql_file")
class SqlFile(MigrateOperation):
    """Registers `op.run_sql_file`."""

    @classmethod
    def run_sql_file(cls, operations: Operations, file_name: str) -> None:
        """Run the statements of a file, one after the other; offline, write them down.

        The file is a part of the revision: its text counts for the checksum in the history. That is
        why its name stands in the revision, between quotes.

        Args:
            file_name: beside the revision, such as `"20260103_0900_baseline.sql"`; UTF-8.

        Raises:
            CommandError: the file is missing or outside of the folder, or has something that is no
                SQL or that a revision must not do. Nothing was run then.
            DBAPIError: a statement failed; names the file and the line.
        """
        context = operations.migration_context
        revision = context.revision_file if isinstance(context, GuardedContext) else None
        if revision is None:
            raise CommandError("op.run_sql_file works in a revision alone, whose file it runs")
        if file_name not in find_names(revision.read_text(encoding="utf-8")):
            raise CommandError(
                'op.run_sql_file takes the name as it is, between quotes: op.run_sql_file("….sql")'
            )
        for statement in read_statements(revision, file_name, context.dialect.name):
            try:
                execute(operations, statement.text)
            except Exception as error:
                set_location(error, f"{file_name}:{_line(statement, error)}")
                raise


def _line(statement: Statement, error: Exception) -> int:
    """Return the line of the file that failed: the server may point into the statement."""
    position = getattr(driver_error(error), "position", None)
    if not isinstance(error, DBAPIError) or position is None:
        return statement.line
    # https://www.postgresql.org/docs/current/protocol-error-fields.html
    return statement.line + statement.text[: int(position) - 1].count("\n")
