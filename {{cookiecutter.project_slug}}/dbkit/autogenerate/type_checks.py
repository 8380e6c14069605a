"""Leaves the CHECK of `Enum(create_constraint=True)` out of changed and added columns.

The comparison of CHECKs writes it as an operation of its own. Alembic's batch mode would drop it a
second time with the type that had it. https://alembic.sqlalchemy.org/en/latest/batch.html
"""

from collections.abc import Callable
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import Column, Integer

Render = Callable[[AutogenContext, Any], Any]


def _without_check(render: Render) -> Render:
    def render_it(context: AutogenContext, op: Any) -> Any:
        return str(render(context, op)).replace(", create_constraint=True", "")

    return render_it


for one in (ops.AlterColumnOp("", ""), ops.AddColumnOp("", Column("", Integer))):
    renderers.dispatch_for(type(one), replace=True)(_without_check(renderers.dispatch(one)))
