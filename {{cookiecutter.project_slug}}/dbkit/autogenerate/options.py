"""What counts as a change between the models and a database, and how it is written down.

https://alembic.sqlalchemy.org/en/latest/autogenerate.html
"""

import logging
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from sqlalchemy import MetaData, TypeDecorator
from sqlalchemy.schema import SchemaItem

from dbkit.alembic_internals import render_type
from dbkit.autogenerate.directives import finish_revision
from dbkit.autogenerate.models import load_metadata
from dbkit.config import EnvironmentOptions
from dbkit.history import TABLE as HISTORY

PLUGINS = ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"]


def autogenerate_options(
    config: Config, dialect: str, options: EnvironmentOptions
) -> dict[str, Any]:
    """Return the keywords of `EnvironmentContext.configure` for comparing and writing models.

    The service's own keywords are combined with these: a name or an object that either filter
    refuses is left out, and what the service renders itself comes first.

    Raises:
        CommandError: the models cannot be imported; names the file and its line.
    """
    # Both register themselves: enum types and their values, and the comparison of CHECK conditions.
    import alembic_postgresql_enum  # noqa: F401

    import dbkit.autogenerate.check_constraints  # noqa: F401

    # On SQLite the plug-in would warn at each comparison that it does nothing there. A filter,
    # because a level does not outlive the reading of alembic.ini.
    log = logging.getLogger("alembic.alembic_postgresql_enum.compare_dispatch")
    log.addFilter(_refuse_all)

    metadata, own = load_metadata(options), options.configure
    schemas = {table.schema for table in metadata.tables.values()}
    return {
        # A compare function of one's own may stand here too; Alembic 1.20 fails to call it where a
        # table has a computed or identity column.
        "compare_server_default": True,
        "autogenerate_plugins": PLUGINS,
        "include_schemas": bool(schemas - {None}),
        # SQLite alters a table by copying it: alembic.sqlalchemy.org/en/latest/batch.html
        "render_as_batch": dialect == "sqlite",
        **own,
        "target_metadata": metadata,
        "include_name": _include_name(metadata, own.get("include_name")),
        "include_object": _include_object(config, own.get("include_object")),
        "render_item": _render_item(own.get("render_item")),
        "process_revision_directives": finish_revision(own.get("process_revision_directives")),
    }


def _refuse_all(_record: logging.LogRecord) -> bool:
    return False


def _include_name(
    metadata: MetaData, own: Callable[..., bool] | None
) -> Callable[[str | None, str, Any], bool]:
    """Leave out the history and the schemas without a model."""
    schemas = {table.schema for table in metadata.tables.values()} | {None}

    def include_name(name: str | None, kind: str, parents: Any) -> bool:
        if (kind == "table" and name == HISTORY) or (kind == "schema" and name not in schemas):
            return False
        return own is None or own(name, kind, parents)

    return include_name


def _include_object(config: Config, own: Callable[..., bool] | None) -> Callable[..., bool]:
    """Leave out tables without a model that `leave_alone` in `alembic.ini` names."""
    patterns = (config.get_main_option("leave_alone") or "").split()

    def include_object(
        item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: Any
    ) -> bool:
        unknown = kind == "table" and reflected and compare_to is None
        if unknown and any(fnmatchcase(name or "", pattern) for pattern in patterns):
            return False
        return own is None or own(item, name, kind, reflected, compare_to)

    return include_object


def _render_item(own: Callable[..., Any] | None) -> Callable[..., Any]:
    """Write a type that decorates another as that other: no revision imports the app."""

    def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
        rendered: str | Literal[False] = own(kind, item, context) if own else False
        if rendered is False and kind == "type" and isinstance(item, TypeDecorator):
            dialect = context.migration_context.dialect
            return render_type(item.load_dialect_impl(dialect), context)
        return rendered

    return render_item
