"""What becomes of the changes that autogenerate has found: no file, one, or two."""

from collections.abc import Callable
from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.util import asbool

from dbkit.autogenerate.index_revisions import separate_indexes
from dbkit.autogenerate.renames import find_renames

Directives = list[ops.MigrationScript]


def finish_revision(
    own: Callable[[MigrationContext, Any, Directives], None] | None,
) -> Callable[[MigrationContext, Any, Directives], None]:
    """Return a function for `process_revision_directives`.

    The service's `own` comes first, so that what it takes out or adds is treated like the rest.
    """

    def process(context: MigrationContext, revision: Any, directives: Directives) -> None:
        if own is not None:
            own(context, revision, directives)
        if directives:
            _finish(context, directives)

    return process


def _finish(context: MigrationContext, directives: Directives) -> None:
    """Write no file if nothing changed, and point out what may be a rename."""
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
    notes = [note for change in changes for note in find_renames(change.ops, context.dialect)]
    # By the file that they belong to: there may be another one, of indexes.
    command.template_args["notes"] = {directives[0].rev_id: notes}
    for note in notes:
        command.config.print_stdout(note)
    wanted = asbool(command.config.get_main_option("online_indexes") or "false")
    if wanted and context.dialect.name == "postgresql":
        separate_indexes(directives, context.opts["target_metadata"])
