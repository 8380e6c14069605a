"""SQL in a revision, for what Alembic has no operation for."""

import re

from alembic.operations import ops

COLON = re.compile(r"(?<![:\w\\]):(?=\w+(?!:))")  # what SQLAlchemy takes for a parameter


class Statement(ops.ExecuteSQLOp):
    """`op.execute` of one statement, which has another one that takes its effect back.

    Args:
        sql: the statement, as the database has it.
        undo: the statement for the downgrade.
    """

    def __init__(self, sql: str, undo: str) -> None:
        super().__init__(COLON.sub(r"\\:", sql.removesuffix(";")))
        self._statements = sql, undo

    def reverse(self) -> "Statement":
        sql, undo = self._statements
        return Statement(undo, sql)
