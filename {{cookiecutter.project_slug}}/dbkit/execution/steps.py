"""Finds the steps that a request wants from where the database stands, and whether they may run."""

import logging
import re
from collections.abc import Iterable
from inspect import iscoroutinefunction
from pathlib import Path

from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError, to_tuple
from sqlalchemy import Connection

from dbkit.connection import DatabaseURL
from dbkit.history import check_ahead, check_ran_here, check_unedited
from dbkit.request import FindSteps, Request
from dbkit.revisions import MigrationError, is_baseline, is_known
from dbkit.sql_files import check_files
from dbkit.transactions import check_source

log = logging.getLogger("alembic.migrator")


def upgrade_steps(script: ScriptDirectory, to: tuple[str, ...] = ("heads",)) -> FindSteps:
    """Return a function that finds the steps up to the revisions `to`, by default the newest."""

    def find(heads: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        revisions = script.iterate_revisions(to, heads, implicit_base=True)
        make = MigrationStep.upgrade_from_script
        return [make(script.revision_map, revision) for revision in reversed(list(revisions))]

    return find


def downgrade_steps(script: ScriptDirectory, to: str = "base") -> FindSteps:
    """Return a function that finds the steps down to a revision, or to nothing or a baseline."""

    def find(heads: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        revisions = script.iterate_revisions(heads, to, select_for_downgrade=True)
        make = MigrationStep.downgrade_from_script
        return [make(script.revision_map, each) for each in revisions if not is_baseline(each)]

    return find


class StepFinder:
    """Finds the steps of one request.

    It looks again after the lock, and finds the same steps unless the database has moved: `+2`
    would otherwise count anew after another instance applied one of the two.
    """

    def __init__(self, script: ScriptDirectory, request: Request, database: DatabaseURL) -> None:
        self.script = script
        self.request = request
        self.database = database
        self.purge = request.purge  # the version table is emptied first
        self.heads: tuple[str, ...] = ()  # at which the database stands
        self.is_ahead = False
        self._steps: list[MigrationStep] | None = None

    def find(self, connection: Connection, context: MigrationContext) -> list[MigrationStep]:
        """Return the steps from where the database stands now.

        Raises:
            CommandError: the revisions, or one of them, should not be run.
        """
        heads = context.get_current_heads()
        if self._steps is None or heads != self.heads:
            self.heads = heads
            self._steps = self._find(connection, context)
        return list(self._steps)

    def _find(self, connection: Connection, context: MigrationContext) -> list[MigrationStep]:
        if self._may_be_ahead(context):
            ahead = check_ahead(connection, self.heads, self.script)
            # A revision of this code that is asked for has run too; `+1` could mean anything.
            if ahead and self._knows_destination():
                log.warning("%s; nothing to do", ahead)
                self.is_ahead = True
                return []
        heads = () if self.purge else self.heads
        steps = find_steps(self.request, self.script, heads, context)
        if any(isinstance(step, RevisionStep) and step.is_upgrade for step in steps):
            check_unedited(connection, self.script, self.heads)
        name = self.database.name_to_type
        check_ran_here(connection, self.script, steps, name, self.request.confirm)
        check_steps(steps, connection.dialect.name)
        return steps

    def _may_be_ahead(self, context: MigrationContext) -> bool:
        """Tell whether an upgrade meets a revision that this code does not know.

        What kind of command it is shows in the steps that it finds for an empty database.
        """
        if all(is_known(self.script, head) for head in self.heads):
            return False
        try:
            steps = list(self.request.find((), context))
        except CommandError:
            return False
        return any(isinstance(step, RevisionStep) and step.is_upgrade for step in steps)

    def _knows_destination(self) -> bool:
        try:
            return bool(self.script.get_revisions(self.request.destination))
        except CommandError:
            return False


def find_steps(
    request: Request, script: ScriptDirectory, heads: tuple[str, ...], context: MigrationContext
) -> list[MigrationStep]:
    """Return the steps of a request for a database that stands at `heads`.

    Raises:
        CommandError: there is no such way, or there are two.
    """
    try:
        return list(request.find(heads, context))
    except CommandError as error:
        if type(error.__cause__) is RevisionError and _meets_a_merge(request, script, heads):
            raise MigrationError(
                "a step down from a merge leads two ways: name the revision to go to, "
                "REV=<revision>"
            ) from error
        raise
    except AttributeError as error:
        if error.name not in ("upgrade", "downgrade"):
            raise
        file = Path(getattr(error.obj, "__file__", "a revision")).name
        raise MigrationError(
            f"{file} has no function {error.name}(); nothing was changed"
        ) from error


def _meets_a_merge(request: Request, script: ScriptDirectory, heads: tuple[str, ...]) -> bool:
    """Tell whether steps down, such as `-2` or `<revision>-1`, come to a merge."""
    relative = re.fullmatch(r"(?:.*@)?(?P<begin>\w*)-(?P<steps>\d+)", str(request.destination))
    if relative is None:
        return False
    reached = script.get_revisions(relative["begin"] or heads)
    for _ in range(int(relative["steps"])):
        if any(revision.is_merge_point for revision in reached):
            return True
        before = [name for revision in reached for name in to_tuple(revision.down_revision, ())]
        reached = script.get_revisions(before)
    return False


def check_steps(steps: Iterable[MigrationStep], dialect: str) -> None:
    """Raise `CommandError` if a step should not begin, as far as its text shows it."""
    for step in steps:
        if not isinstance(step, RevisionStep):
            continue
        path, function = Path(step.revision.path), "upgrade" if step.is_upgrade else "downgrade"
        if iscoroutinefunction(step.migration_fn):
            raise CommandError(
                f"{path.name}: {function}() is an 'async def', which nobody would await: make it a "
                "'def'; nothing was run"
            )
        if dialect == "postgresql":
            check_source(path, function)
        check_files(path, dialect)
