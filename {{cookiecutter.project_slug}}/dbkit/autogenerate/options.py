"""Keywords of Alembic's `configure` for comparing and writing: the service's, joined with ours.

https://alembic.sqlalchemy.org/en/latest/autogenerate.html
"""

from collections.abc import Callable
from typing import Any

from alembic.config import Config
from sqlalchemy.schema import SchemaItem

from dbkit.autogenerate.directives import directives_hook
from dbkit.autogenerate.rendering import render_item
from dbkit.autogenerate.two_pictures import ANY_SCHEMA
from dbkit.config import EnvironmentOptions, left_alone
from dbkit.history import TABLE as HISTORY_TABLE
from dbkit.metadata import load_metadata

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
        "autogenerate_plugins": [*_plugins(), *theirs.get("autogenerate_plugins", ())],
        "include_name": _both(
            theirs.get("include_name"),
            _include_name(schemas, config, any_schema="include_schemas" in theirs),
        ),
        ANY_SCHEMA: _both(
            theirs.get("include_name"), _include_name(schemas, config, any_schema=True)
        ),
        "include_object": _both(theirs.get("include_object"), _include_object(config)),
        "process_revision_directives": directives_hook(theirs.get("process_revision_directives")),
        "render_item": _first(theirs.get("render_item"), render_item),
    }


def _plugins() -> list[str]:
    """Import what compares, and return the names of the plug-ins.

    The modules register themselves, some for the whole process, and take time to import: so only
    what compares imports them.
    """
    import dbkit.autogenerate.sqlite_comparator  # and `comparators`: they replace Alembic's classes
    import dbkit.autogenerate.table_comments  # as `type_checks`
    import dbkit.autogenerate.type_checks  # noqa: F401 - replaces how Alembic writes columns
    from dbkit.autogenerate import casts, check_constraints, computed_columns, enums, log_lines

    log_lines.name_objects()
    ours = (check_constraints, computed_columns, casts, enums)
    return ["alembic.autogenerate.*", *(module.NAME for module in ours)]


def _include_name(schemas: set[str | None], config: Config, *, any_schema: bool) -> Filter:
    """Leave out the history, and schemas that no model is in.

    Args:
        schemas: those of the models.
        any_schema: let others in, unless `leave_alone` names them: the service asked for all.
    """
    is_named = left_alone(config)

    def include(name: str | None, kind: str, _parents: Any) -> bool:
        if kind == "table":
            return name != HISTORY_TABLE
        if kind != "schema" or name in schemas:
            return True
        return any_schema and not is_named(name or "")

    return include


def _include_object(config: Config) -> Filter:
    """Leave out what the models do not have and `leave_alone` in alembic.ini names.

    A table, index or constraint has its name with and without its schema, and the name of its
    schema. A column has its table's name before it.
    """
    is_named = left_alone(config)

    def include(
        item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: Any
    ) -> bool:
        if not reflected or compare_to is not None or name is None:
            return True
        table = item if kind == "table" else getattr(item, "table", None)
        with_table = f"{getattr(table, 'name', '')}.{name}"
        schema = getattr(table, "schema", None)
        if kind == "column":  # of other tables may be called the same
            return not is_named(with_table, f"{schema or 'public'}.{with_table}")
        names = (name, with_table, f"{schema or 'public'}.{name}")
        return not is_named(*names, *([schema] if schema else []))

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
