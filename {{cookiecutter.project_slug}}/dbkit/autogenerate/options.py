"""Keywords of Alembic's `configure` for comparing and writing: the service's, joined with ours.

https://alembic.sqlalchemy.org/en/latest/autogenerate.html
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from alembic.config import Config
from sqlalchemy.schema import SchemaItem

from dbkit.autogenerate.directives import directives_hook
from dbkit.autogenerate.models import load_metadata
from dbkit.autogenerate.rendering import render_item
from dbkit.config import EnvironmentOptions
from dbkit.history import TABLE as HISTORY_TABLE

Filter = Callable[..., bool]


def autogenerate_options(
    config: Config, dialect: str, options: EnvironmentOptions
) -> dict[str, Any]:
    """Return keywords of `EnvironmentContext.configure` for whatever compares or writes models.

    What the service chose in `alembic/env.py` holds, joined with ours: both filters must include
    an object; its `render_item` is asked first; its `process_revision_directives` runs first; its
    plug-ins come behind ours. All else replaces our defaults. The models are imported here.

    Args:
        config: `leave_alone` and `online_indexes` are read from it.
        dialect: `postgresql` or `sqlite`.

    Raises:
        CommandError: a model cannot be imported.
    """
    metadata = load_metadata(options)
    theirs = dict(options.configure)
    schemas = {table.schema for table in metadata.tables.values()} | {None}
    return {
        "compare_server_default": True,
        "include_schemas": len(schemas) > 1,
        # SQLite alters a table by copying it: alembic.sqlalchemy.org/en/latest/batch.html
        "render_as_batch": dialect == "sqlite",
        **theirs,
        "target_metadata": metadata,
        "autogenerate_plugins": [*_plugins(dialect), *theirs.get("autogenerate_plugins", ())],
        "include_name": _both(
            theirs.get("include_name"),
            _include_name(None if "include_schemas" in theirs else schemas),
        ),
        "include_object": _both(theirs.get("include_object"), _include_object(config)),
        "process_revision_directives": directives_hook(theirs.get("process_revision_directives")),
        "render_item": _first(theirs.get("render_item"), render_item),
    }


def _plugins(dialect: str) -> list[str]:
    """Import what compares, and return the names of the plug-ins.

    The modules register themselves, some for the whole process, and take time to import: so only
    what compares imports them.
    """
    import dbkit.autogenerate.comparators  # noqa: F401 - replaces Alembic's implementations
    from dbkit.autogenerate import computed_columns

    if dialect == "postgresql":
        import alembic_postgresql_enum  # noqa: F401 - compares enum types and their values
    return ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname", computed_columns.NAME]


def _include_name(schemas: set[str | None] | None) -> Filter:
    """Leave out the history and, unless `schemas` is None, schemas that no model is in."""

    def include(name: str | None, kind: str, _parents: Any) -> bool:
        if kind == "table":
            return name != HISTORY_TABLE
        return kind != "schema" or schemas is None or name in schemas

    return include


def _include_object(config: Config) -> Filter:
    """Leave out tables that the models do not have and `leave_alone` in alembic.ini names."""
    patterns = (config.get_main_option("leave_alone") or "").split()

    def include(
        _item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: Any
    ) -> bool:
        is_unknown = kind == "table" and reflected and compare_to is None
        return not (is_unknown and any(fnmatchcase(name or "", pattern) for pattern in patterns))

    return include


def _both(theirs: Filter | None, ours: Filter) -> Filter:
    if theirs is None:
        return ours
    return lambda *arguments: theirs(*arguments) and ours(*arguments)


def _first(theirs: Callable[..., Any] | None, ours: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that asks `theirs`, and then `ours` if the answer is False."""
    if theirs is None:
        return ours

    def render(*arguments: Any) -> Any:
        rendered = theirs(*arguments)
        return ours(*arguments) if rendered is False else rendered

    return render
