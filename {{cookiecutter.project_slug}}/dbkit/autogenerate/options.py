"""What counts as a change between the models and a database.

The place for compare functions of one's own: `compare_type`, and what `options` hands to Alembic.
https://alembic.sqlalchemy.org/en/latest/autogenerate.html
"""

import logging
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Literal

import alembic_postgresql_enum  # noqa: F401 - registers itself: enum types and their values
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from app.migrator import (  # noqa: F401 - the others register themselves
    backfill,
    checks,
    online,
    online_columns,
    online_constraints,
    online_indexes,
)
from sqlalchemy import Column, Dialect, MetaData, TypeDecorator
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import asbool

from dbkit.history.table import TABLE as HISTORY

# On SQLite it would warn at each comparison that it does nothing there. A filter, because a
# level does not outlive the reading of alembic.ini.
logging.getLogger("alembic.alembic_postgresql_enum.compare_dispatch").addFilter(lambda _: False)

PLUGINS = ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"]


def compare_type(
    context: MigrationContext,
    inspected_column: Column[Any],
    metadata_column: Column[Any],
    inspected_type: TypeEngine[Any],
    metadata_type: TypeEngine[Any],
) -> bool | None:
    """Whether a column's type changed: True, False, or None to let Alembic decide."""
    return None


def options(config: Config, dialect: str, metadata: MetaData) -> dict[str, Any]:
    """Keywords of `context.configure` that concern comparing and writing revisions."""
    patterns = (config.get_main_option("leave_alone") or "").split()
    schemas = {table.schema for table in metadata.tables.values()} | {None}

    def include_name(name: str | None, kind: str, _parents: Any) -> bool:
        return name != HISTORY if kind == "table" else kind != "schema" or name in schemas

    def include_object(
        item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: Any
    ) -> bool:
        unknown = kind == "table" and reflected and compare_to is None
        return not (unknown and any(fnmatchcase(name or "", pattern) for pattern in patterns))

    return {
        "autogenerate_plugins": PLUGINS,
        "compare_type": compare_type,
        # A function of one's own may stand here too; Alembic 1.20 fails to call it where a table
        # has a computed or identity column.
        "compare_server_default": True,
        "include_name": include_name,
        "include_object": include_object,
        "include_schemas": len(schemas) > 1,
        "process_revision_directives": finish_revision,
        "render_item": render_item,
        # SQLite alters a table by copying it: alembic.sqlalchemy.org/en/latest/batch.html
        "render_as_batch": dialect == "sqlite",
    }


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """A type that decorates another is written as that other: no revision imports the app."""
    if kind == "type" and isinstance(item, TypeDecorator):
        dialect: Dialect = context.migration_context.dialect
        return render._repr_type(item.load_dialect_impl(dialect), context)
    return False


def finish_revision(
    context: MigrationContext, revision: Any, directives: list[ops.MigrationScript]
) -> None:
    """Write no file where nothing changed, and point out what may be a rename."""
    command = context.opts["revision_context"]
    if command.command_args["message"] is None:  # `alembic check` reads the directives itself
        return
    changes = [change for script in directives for change in script.upgrade_ops_list]
    if all(change.is_empty() for change in changes):
        command.config.print_stdout(
            "No changes: the models and the revisions agree. 'make migration-empty' writes a file."
        )
        directives.clear()
        return
    notes = [note for change in changes for note in possible_renames(change.ops)]
    # By the file that they belong to: there may be another one, of indexes.
    command.template_args["notes"] = {directives[0].rev_id: notes}
    for note in notes:
        command.config.print_stdout(note)
    wanted = asbool(command.config.get_main_option("online_indexes") or "false")
    if wanted and context.dialect.name == "postgresql":
        online_indexes.separate(directives, context.opts["target_metadata"])


def possible_renames(operations: Iterable[ops.MigrateOperation]) -> list[str]:
    """A line for each column that is dropped where one of the same type is added."""
    notes = []
    for table in operations:
        if not isinstance(table, ops.ModifyTableOps):
            continue
        dropped = [op for op in table.ops if isinstance(op, ops.DropColumnOp)]
        added = [op for op in table.ops if isinstance(op, ops.AddColumnOp)]
        for old in dropped:
            for new in added:
                was = old.to_column()
                if was.type._type_affinity is new.column.type._type_affinity:
                    notes.append(
                        f"Renamed? {table.table_name}.{old.column_name} is dropped and "
                        f"{new.column.name} added, which loses the data. To keep it: "
                        f'op.alter_column("{table.table_name}", "{old.column_name}", '
                        f'new_column_name="{new.column.name}")'
                    )
    return notes
