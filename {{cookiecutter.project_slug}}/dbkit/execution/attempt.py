"""Runs steps once, in a context of Alembic's that the transaction guard watches."""

import copy
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep
from sqlalchemy import Connection

from dbkit.execution import sqlite
from dbkit.execution.context import use_context
from dbkit.execution.progress import Progress
from dbkit.execution.snapshots import SnapshotTaker
from dbkit.execution.steps import StepFinder
from dbkit.history import create_table
from dbkit.revisions import Running, one_line
from dbkit.transactions import GuardedContext, TransactionGuard, note_revision

RestoreSession = Callable[[Connection], None]
Observer = Callable[[Connection, tuple[str, ...]], None]


class Attempt:
    """Runs steps of one request; the executor repeats it, with the next steps or the same ones."""

    def __init__(self, finder: StepFinder, progress: Progress, snapshots: SnapshotTaker) -> None:
        self.finder = finder
        self.progress = progress
        self.snapshots = snapshots
        self.guard = TransactionGuard(progress.timer)
        self.restore_session: RestoreSession | None = None
        self.observe: Observer | None = None  # called with the heads that a step has reached
        self._steps: list[MigrationStep] = []

    def make_context(
        self, connection: Connection, alembics: MigrationContext, heads: tuple[str, ...] | None
    ) -> GuardedContext:
        """Return the context in which steps are executed on a connection.

        Args:
            alembics: the context that Alembic configured.
            heads: the revisions at which the database stands, which Alembic then need not ask for;
                None on SQLite, where they are found in the transaction of the run.
        """

        def on_version_apply(step: MigrationInfo, heads: set[str], **_rest: Any) -> None:
            context.note_heads(heads)
            self.progress.record_applied(connection, step)

        context = GuardedContext(
            alembics,
            self.guard,
            heads=heads,
            fn=self._begin_each,
            dont_mutate=False,
            transaction_per_migration=heads is not None and not self.finder.purge,
            on_version_apply=(on_version_apply, *alembics.opts["on_version_apply"]),
        )
        use_context(context)
        return context

    def run_each(
        self, context: GuardedContext, steps: list[MigrationStep], heads: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Run steps on PostgreSQL, where each is committed for itself; a purge with all steps.

        Args:
            heads: the revisions at which the database stands.

        Returns:
            The revisions at which it stands afterwards.

        Raises:
            MigrationError: one line, and what stays in the database.
        """
        if self.progress.retries:  # the attempt before may have changed the session for good
            for step in steps[:1]:
                self.progress.begin_step(step)  # it fails if the session is gone
            self._restore(context)
        self._steps = steps
        context.note_heads(heads)  # an attempt that failed has left others
        with self._errors(), Operations.context(context), context.begin_transaction():
            context.run_migrations()
        return context.get_current_heads()

    def run_all(self, connection: Connection, alembics: MigrationContext) -> None:
        """Find and run steps on SQLite, in one transaction. Raises: see `run_each`."""
        self._steps = []
        context = self.make_context(connection, alembics, None)
        with self._errors(), Operations.context(context), context.begin_transaction():
            self._restore(context)
            self.restore_session = self.restore_session or sqlite.session_restorer(connection)
            create_table(connection)
            self._steps = self.finder.find(connection, context)
            broken = sqlite.broken_references_before(connection)
            self.snapshots.before(connection)
            context.run_migrations()
            self.progress.before_final_commit()
            sqlite.check_references(connection, broken)
            self.snapshots.after(connection)

    def _begin_each(self, _heads: Any, context: MigrationContext) -> Iterator[MigrationStep]:
        for step in self._steps:
            self.progress.begin_step(step)
            note_revision(context, step)
            watched = copy.copy(step)
            watched.migration_fn = self._watched(step.migration_fn, context)
            yield watched
            # Alembic asks for the next one when this one is committed, on SQLite when done.
            self.progress.end_step()
            if self.observe is not None and context.connection is not None:
                self.observe(context.connection, context.get_current_heads())

    def _watched(self, run: Callable[..., None], context: MigrationContext) -> Callable[..., None]:
        """Return `run` as a function that leaves the session as the first revision found it."""
        watched = self.guard.watch(run)

        @wraps(run)  # Alembic logs its name
        def run_and_restore(**arguments: Any) -> None:
            watched(**arguments)
            self._restore(context)

        return run_and_restore

    def _restore(self, context: MigrationContext) -> None:
        if self.restore_session is not None and context.connection is not None:
            self.restore_session(context.connection)

    def _errors(self) -> Any:
        return one_line(
            self.finder.script,
            heads=self.finder.heads,
            running=self._running,
        )

    def _running(self) -> Running:
        # What is there already in a database that this run began has come from its revisions.
        is_adoption = bool(self.finder.heads) or self.progress.is_first_step
        return Running(
            self.progress.file,
            self.progress.applied_revision if is_adoption else None,
            self.guard.statement_seconds,
            self._remains(),
        )

    def _remains(self) -> str:
        if self.progress.database.dialect == "sqlite":
            return "nothing was changed"
        if not self.guard.repeatable:
            return "what its autocommit_block has done stays"
        if self.guard.has_committed:
            return "steps that were done stay, and the next attempt goes on from there"
        return "this revision changed nothing"
