"""How types are written: no revision imports the application, and no table makes an enum type."""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import TypeDecorator

from dbkit.alembic_internals import render_type
from dbkit.autogenerate.enum_types import POSTGRESQL, enum_of


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Render a `TypeDecorator` as the type that the database has; all else is Alembic's.

    A revision must run with the models of any later day, when the decorator may be gone.
    https://alembic.sqlalchemy.org/en/latest/autogenerate.html#affecting-the-rendering-of-types-themselves
    """
    is_sqlalchemys = type(item).__module__.startswith("sqlalchemy.")  # such as Interval
    is_decorator = isinstance(item, TypeDecorator) and not is_sqlalchemys
    if kind == "type" and is_decorator:
        return render_type(item.load_dialect_impl(context.migration_context.dialect), context)
    if kind == "type" and context.dialect.name == "postgresql" and not is_decorator:
        return _enum(item, context.opts["sqlalchemy_module_prefix"] or "")
    return False


def _enum(item: Any, prefix: str) -> str | Literal[False]:
    """Render an enum type, or an array of it, as one that no table creates or drops."""
    enum = enum_of(item)
    if enum is None or not enum.name:
        return False
    schema = f", schema={str(enum.schema)!r}" if enum.schema else ""
    values = ", ".join(map(repr, enum.enums))
    text = f"{prefix}Enum({values}, name={str(enum.name)!r}{schema}, create_type=False)"
    is_array = hasattr(item.dialect_impl(POSTGRESQL), "item_type")
    return f"{prefix}ARRAY({text})" if is_array else text
