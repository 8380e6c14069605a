"""Writes comments of tables whose name has a quote in it, or a backslash.

Alembic puts the name between quotes as it is, and the file is no Python then.
https://alembic.sqlalchemy.org/en/latest/ops.html#alembic.operations.Operations.create_table_comment
"""

from collections.abc import Callable
from copy import copy
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops

Render = Callable[[AutogenContext, Any], Any]
QUOTES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n"})


def _with_quotes(render: Render) -> Render:
    def render_it(context: AutogenContext, op: Any) -> Any:
        written = copy(op)
        written.table_name = op.table_name.translate(QUOTES)
        written.schema = op.schema and op.schema.translate(QUOTES)
        return render(context, written)

    return render_it


for one in (ops.CreateTableCommentOp("", comment=None), ops.DropTableCommentOp("")):
    renderers.dispatch_for(type(one), replace=True)(_with_quotes(renderers.dispatch(one)))
