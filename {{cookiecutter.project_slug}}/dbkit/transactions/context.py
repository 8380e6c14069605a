"""Alembic's `MigrationContext` with the transaction guard in it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep

from dbkit.transactions.guard import TransactionGuard


class GuardedContext(MigrationContext):
    """Runs revisions under a guard; `op.get_context()` returns it inside of a revision.

    Args:
        alembics: the context that `EnvironmentContext.configure` made, with all its options.
        heads: the current revisions, where they are known: Alembic need not query them again.
        options: what differs from those of `alembics`.
    """

    def __init__(
        self,
        alembics: MigrationContext,
        guard: TransactionGuard,
        *,
        heads: tuple[str, ...] | None = None,
        **options: Any,
    ) -> None:
        connection = None if alembics.as_sql else alembics.connection
        super().__init__(
            alembics.dialect, connection, {**alembics.opts, **options}, alembics.environment_context
        )
        self.guard = guard
        self.revision_file: Path | None = None  # of the revision that is being executed
        self._heads = heads

    def get_current_heads(self) -> tuple[str, ...]:
        """Return the current revisions: the known ones, or those of the version table."""
        return super().get_current_heads() if self._heads is None else self._heads

    def note_heads(self, heads: Iterable[str]) -> None:
        """Note where the database stands after a step, if it was known before."""
        if self._heads is not None:
            self._heads = tuple(heads)

    @contextmanager
    def autocommit_block(self) -> Iterator[None]:
        """Enter autocommit, as Alembic's does, unless the revision has written in a transaction.

        On SQLite it does nothing: all revisions of a run are one transaction, and stay one.
        """
        if self.dialect.name == "sqlite":
            yield
            return
        connection = None if self.as_sql else self.connection
        with self.guard.autocommit(super().autocommit_block, connection):
            yield


def note_revision(context: MigrationContext, step: MigrationStep) -> None:
    """Let operations know the file of the revision that `step` runs."""
    if isinstance(context, GuardedContext):
        file = Path(step.revision.path) if isinstance(step, RevisionStep) else None
        context.revision_file = file


@contextmanager
def autocommit_operation(context: MigrationContext) -> Iterator[None]:
    """Run an operation in autocommit that, repeated after a crash, does what is left to do."""
    if isinstance(context, GuardedContext):
        with context.guard.operation(context.autocommit_block):
            yield
    else:  # somebody's own context, which nobody watches
        with context.autocommit_block():
            yield
