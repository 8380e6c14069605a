"""How types are written: no revision imports the application, and no table makes an enum type."""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Interval, TypeDecorator
from sqlalchemy.dialects.postgresql import DOMAIN, ENUM

from dbkit.alembic_internals import render_type
from dbkit.autogenerate.enum_types import POSTGRESQL, inner_type

SERVICE = "app"  # the package that revisions do not import


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Render a `TypeDecorator` as the type that the database has, a type of the service's as SQL.

    A revision must run with the models of any later day, when that type may be gone. Types of other
    packages get their import; all else is Alembic's.
    https://alembic.sqlalchemy.org/en/latest/autogenerate.html#affecting-the-rendering-of-types-themselves
    """
    if kind != "type":
        return False
    package = type(item).__module__.partition(".")[0]
    if isinstance(item, TypeDecorator) and package != "sqlalchemy":  # which has Interval, say
        return render_type(item.load_dialect_impl(context.migration_context.dialect), context)
    if context.dialect.name == "postgresql" and (rendered := _named(item, context)):
        return rendered
    if isinstance(item, Interval):  # of which SQLAlchemy shows nothing of what it was made with
        return f"{_prefix(context)}Interval({_arguments(item)})"
    if package == SERVICE:
        context.imports.add("from dbkit.sql_type import SQLType")
        return f"SQLType({item.compile(dialect=context.dialect)!r})"
    if package not in ("sqlalchemy", "alembic"):
        context.imports.add(f"import {type(item).__module__}")
    return False


def _prefix(context: AutogenContext) -> str:
    return str(context.opts["sqlalchemy_module_prefix"] or "")


def _arguments(item: Interval) -> str:
    """Return the arguments of an interval, which its own `repr` leaves out."""
    given = {name: getattr(item, name) for name in ("second_precision", "day_precision")}
    arguments = [f"{name}={value}" for name, value in given.items() if value is not None]
    return ", ".join(arguments + ([] if item.native else ["native=False"]))


def _named(item: Any, context: AutogenContext) -> str | Literal[False]:
    """Render an enum type or domain, or an array of it, as one that no table creates or drops."""
    one, prefix = inner_type(item), _prefix(context)
    if not isinstance(one, ENUM | DOMAIN) or not one.name:
        return False
    schema = f", schema={str(one.schema)!r}" if one.schema else ""
    if isinstance(one, DOMAIN):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        kind = render_type(one.data_type, context)
        text = f"postgresql.DOMAIN({str(one.name)!r}, {kind}{schema}, create_type=False)"
    else:
        values = ", ".join(map(repr, one.enums))
        text = f"{prefix}Enum({values}, name={str(one.name)!r}{schema}, create_type=False)"
    is_array = hasattr(item.dialect_impl(POSTGRESQL), "item_type")
    return f"{prefix}ARRAY({text})" if is_array else text
