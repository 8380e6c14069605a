"""SQL in a revision, for what Alembic has no operation for, and as SQLAlchemy takes it."""

import re

from alembic.operations import ops

PARAMETER = re.compile(r"(?<![:\w]):\w|\\:")  # what SQLAlchemy may take for one, or for an escape
COLON = re.compile(r"""((?<=['")\]])::(?=[\w"]))|:""")  # the first kind, of a cast, is safe


def escaped(sql: str) -> str:
    """Return SQL in which no colon is a parameter, for `sqlalchemy.text` and all that calls it.

    It takes a backslash out before a colon, but not before a word that another colon follows.
    """
    if not PARAMETER.search(sql):
        return sql
    return COLON.sub(lambda found: found[1] or r"\:", sql)


class Statement(ops.ExecuteSQLOp):
    """`op.execute` of one statement, which has another one that takes its effect back.

    Args:
        sql: the statement, as the database has it.
        undo: the statement for the downgrade.
    """

    def __init__(self, sql: str, undo: str) -> None:
        super().__init__(escaped(sql.removesuffix(";")))
        self._statements = sql, undo

    def reverse(self) -> "Statement":
        sql, undo = self._statements
        return Statement(undo, sql)
