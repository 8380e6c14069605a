"""Runs steps once, in a context of Alembic's that the transaction guard watches."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep
from sqlalchemy import Connection

from dbkit.execution import sqlite
from dbkit.execution.context import use_context
from dbkit.execution.progress import Progress
from dbkit.execution.steps import StepFinder
from dbkit.history import create_table
from dbkit.revisions import one_line
from dbkit.transactions import GuardedContext, TransactionGuard


class Attempt:
    """Runs steps of one request; the executor repeats it, with the next steps or the same ones."""

    def __init__(self, finder: StepFinder, progress: Progress) -> None:
        self.finder = finder
        self.progress = progress
        self.guard = TransactionGuard(progress.timer)

    def run_each(
        self,
        connection: Connection,
        alembics: MigrationContext,
        steps: list[MigrationStep],
        heads: tuple[str, ...],
    ) -> tuple[str, ...]:
        """Run steps on PostgreSQL, where each is committed for itself; a purge with all steps.

        Args:
            alembics: the context that Alembic configured.
            heads: the revisions at which the database stands. Alembic need not ask for them again.

        Returns:
            The revisions at which the database stands afterwards.

        Raises:
            MigrationError: one line, and what stays in the database.
        """
        context = self._context(connection, alembics, steps, heads, each=not self.finder.purge)
        with self._errors(), Operations.context(context), context.begin_transaction():
            context.run_migrations()
        return self._heads

    def run_all(self, connection: Connection, alembics: MigrationContext) -> None:
        """Find and run steps on SQLite, in one transaction. Raises: see `run_each`."""
        steps: list[MigrationStep] = []
        context = self._context(connection, alembics, steps, None, each=False)
        with self._errors(), Operations.context(context), context.begin_transaction():
            create_table(connection)
            steps += self.finder.find(connection, context)
            broken = sqlite.broken_references_before(connection)
            context.run_migrations()
            self.progress.before_final_commit()
            sqlite.check_references(connection, broken)

    def _context(
        self,
        connection: Connection,
        alembics: MigrationContext,
        steps: Iterable[MigrationStep],
        heads: tuple[str, ...] | None,
        *,
        each: bool,
    ) -> GuardedContext:
        def begin_each(_heads: Any, _context: MigrationContext) -> Iterator[MigrationStep]:
            for step in steps:
                self.progress.begin_step(step)
                watched = copy.copy(step)
                watched.migration_fn = self.guard.watch(step.migration_fn)
                yield watched
                # Alembic asks for the next one when this one is committed, on SQLite when done.
                self.progress.end_step()

        def on_version_apply(step: MigrationInfo, heads: set[str], **_rest: Any) -> None:
            self._heads = tuple(heads)
            context.note_heads(heads)
            self.progress.record_applied(connection, step)

        self._heads = heads or ()
        context = GuardedContext(
            alembics,
            self.guard,
            heads=heads,
            fn=begin_each,
            dont_mutate=False,
            transaction_per_migration=each,
            on_version_apply=(on_version_apply, *alembics.opts["on_version_apply"]),
        )
        use_context(context)
        return context

    def _errors(self) -> Any:
        return one_line(
            self.finder.script,
            heads=self.finder.heads,
            file=lambda: self.progress.file,
            remains=self._remains,
        )

    def _remains(self) -> str:
        if self.progress.database.dialect == "sqlite":
            return "nothing was changed"
        if not self.guard.repeatable:
            return "what its autocommit_block has done stays"
        if self.guard.has_committed:
            return "steps that were done stay, and the next attempt goes on from there"
        return "this revision changed nothing"
