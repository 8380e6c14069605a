"""How types of the service's own are written: no revision imports the application."""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import TypeDecorator

from dbkit.alembic_internals import render_type


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Render a `TypeDecorator` as the type that the database has; all else is Alembic's.

    A revision must run with the models of any later day, when the decorator may be gone.
    https://alembic.sqlalchemy.org/en/latest/autogenerate.html#affecting-the-rendering-of-types-themselves
    """
    is_sqlalchemys = type(item).__module__.startswith("sqlalchemy.")  # such as Interval
    if kind == "type" and isinstance(item, TypeDecorator) and not is_sqlalchemys:
        return render_type(item.load_dialect_impl(context.migration_context.dialect), context)
    return False
