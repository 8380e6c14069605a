"""What becomes of the changes that autogenerate found: no file, one, or one more for indexes.

https://alembic.sqlalchemy.org/en/latest/api/autogenerate.html#customizing-revision-generation
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.util import asbool

from dbkit.autogenerate.column_checks import write_column_checks
from dbkit.autogenerate.computed_columns import replace_computed
from dbkit.autogenerate.dependents import renew_dependents
from dbkit.autogenerate.enum_placing import place_enums
from dbkit.autogenerate.identities import end_identities
from dbkit.autogenerate.index_revisions import separate_indexes
from dbkit.autogenerate.notes import notes_of
from dbkit.autogenerate.ordering import order
from dbkit.autogenerate.preparation import preparations
from dbkit.autogenerate.primary_keys import write_primary_keys
from dbkit.autogenerate.renamed_values import possible_renamed_values
from dbkit.autogenerate.renames import possible_renames
from dbkit.autogenerate.sqlite_computed import write_replacements
from dbkit.autogenerate.sqlite_indexes import replace_unseen_indexes
from dbkit.autogenerate.sqlite_options import write_options
from dbkit.autogenerate.sqlite_tables import keep_texts
from dbkit.autogenerate.two_pictures import PICTURES, TwoPictures
from dbkit.autogenerate.unwritable import keep_partitioning, leave_to_sql
from dbkit.metadata import NO_CHANGES

Directives = list[ops.MigrationScript]
Hook = Callable[[MigrationContext, Any, Directives], None]


def directives_hook(theirs: Hook | None) -> Hook:
    """Return the hook that runs the service's own first, and then ours on what it left.

    The service's comes first because such hooks are written for Alembic's single directive, with
    all changes in it. Ours may add a second file, which refers to the identifier of the first.
    Before both, the changes are put into an order that works.
    """

    def process(context: MigrationContext, revision: Any, directives: Directives) -> None:
        pictures: TwoPictures | None = context.opts.get(PICTURES)
        if pictures is not None and "revision_context" in context.opts:
            [script] = directives
            prepare(script, pictures, context)
        if theirs is not None:
            before = _content(directives)
            theirs(context, revision, directives)
            if pictures is not None and _content(directives) != before:
                pictures.own_changes.append(theirs)
        _finish(context, directives)

    return process


def _content(directives: Directives) -> list[object]:
    """Return what is written, to be compared: another order of columns is no other content."""

    def content(op: ops.MigrateOperation) -> object:
        inner = [content(each) for each in getattr(op, "ops", ())]
        facts = {
            name: sorted(map(repr, value)) if isinstance(value, list) else repr(value)
            for name, value in vars(op).items()
            if name not in ("ops", "info")
        }
        return type(op), facts, inner

    containers = (
        each
        for script in directives
        for each in (*script.upgrade_ops_list, *script.downgrade_ops_list)
    )
    return [content(each) for each in containers]


def prepare(script: ops.MigrationScript, pictures: TwoPictures, context: MigrationContext) -> None:
    """Add what tables need, and sort the changes of the upgrade and of the downgrade."""
    is_sqlite = context.dialect.name == "sqlite"
    for upgrade, downgrade in zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=True):
        upgrade.ops = [*preparations(pictures), *upgrade.ops]
        write_column_checks(upgrade, pictures)
        if is_sqlite:
            write_primary_keys(upgrade, pictures)
            write_replacements(upgrade, pictures)
        else:
            replace_computed(upgrade, pictures)
            renew_dependents(upgrade, pictures)
            leave_to_sql(upgrade)
            keep_partitioning(upgrade, pictures)
        order(upgrade, is_sqlite=is_sqlite)
        if is_sqlite:
            write_options(upgrade, pictures)
            replace_unseen_indexes(upgrade, pictures)
        else:
            place_enums(upgrade, pictures)
        upgrade.reverse_into(downgrade)
        if not is_sqlite:
            end_identities(upgrade, downgrade, pictures)
        elif context.connection is not None:
            keep_texts(downgrade, context.connection)


def _finish(context: MigrationContext, directives: Directives) -> None:
    """Write no file where nothing changed, point out possible renames, separate indexes."""
    command = context.opts.get("revision_context")
    if command is None:  # `find_differences` has its own ways of reporting
        return
    if command.command_args["message"] is None:  # `alembic check` reads the directives itself
        return
    changes = [change for script in directives for change in script.upgrade_ops_list]
    if all(change.is_empty() for change in changes):
        pictures: TwoPictures | None = context.opts.get(PICTURES)
        if pictures is not None and not pictures.has_own_writer and pictures.differences():
            return  # the proof says what is not written
        command.config.print_stdout(NO_CHANGES)
        directives.clear()
        return
    notes = {
        script.rev_id: [
            note
            for change in script.upgrade_ops_list
            for note in (
                *possible_renames(change.ops),
                *possible_renamed_values(change.ops),
                *notes_of(change.ops),
            )
        ]
        for script in directives
    }
    command.template_args["notes"] = notes  # script.py.mako writes them as comments
    for note in chain.from_iterable(notes.values()):
        command.config.print_stdout(note)
    wanted = asbool(command.config.get_main_option("online_indexes") or "false")
    # Several directives are the work of the service's own hook, which has decided what goes where.
    if wanted and context.dialect.name == "postgresql" and len(directives) == 1:
        separate_indexes(directives, context.opts["target_metadata"])
