"""Which revisions a command has to run from where the database is, and whether it may."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from app.migrator import applied
from dbkit.execution.failures import explained
from dbkit.transactions.static_check import check_text, may_commit

log = logging.getLogger(__name__)

Steps = Callable[[Any, MigrationContext], Iterable[MigrationStep]]


class Plan:
    """What is left to be done of an `upgrade`, `downgrade` or `stamp`.

    Args:
        configure: `context.configure` with the project's options.
        find: Alembic's function from the current heads to the steps.
        destination: what the command was asked for, such as `head`.
        purge: the version table is emptied first (`stamp --purge`).
    """

    def __init__(
        self, configure: Callable[..., None], find: Steps, destination: Any, *, purge: bool
    ) -> None:
        self.configure = configure
        self.find = find
        self.destination = destination
        self.purge = purge
        self.steps: list[MigrationStep] = []
        self._found: tuple[tuple[str, ...], list[MigrationStep]] | None = None

    async def is_empty(self, connection: AsyncConnection, *, quiet: bool = False) -> bool:
        """Whether nothing has to be done. Reads only, and leaves no transaction open.

        Raises:
            CommandError: the revisions, or one of them, should not be run.
        """

        def look(connection: Connection) -> None:
            with quietly() if quiet else nullcontext():
                self.configure(connection=connection, dont_mutate=True)
            with explained(context):
                self.make(connection)

        await connection.run_sync(look)
        await connection.rollback()
        return not self.steps and not self.purge

    def begins_with_a_commit(self) -> bool:
        """Whether the first step may be one that commits as it goes."""
        first = self.steps[0] if self.steps else None
        return isinstance(first, RevisionStep) and may_commit(Path(first.revision.path))

    def make(self, connection: Connection) -> None:
        """Find the steps from where the database is now."""
        migration = context.get_context()
        heads = migration.get_current_heads()
        if self._found is None or self._found[0] != heads:
            self._found = heads, self._allowed(connection, migration, heads)
        self.steps = list(self._found[1])

    def _allowed(
        self, connection: Connection, migration: MigrationContext, heads: tuple[str, ...]
    ) -> list[MigrationStep]:
        upgrades = self.find.__name__ == "upgrade"
        ahead = applied.ahead(connection, heads, context.script) if upgrades else None
        # A revision of this code that is asked for has run too; `+1` could mean anything.
        if ahead and applied.names_revisions(context.script, self.destination):
            log.warning("%s; nothing to do", ahead)
            return []
        steps = list(self.find(() if self.purge else heads, migration))
        if upgrades and steps:
            applied.check_unedited(connection, context.script, heads)
        check(steps, connection.dialect.name)
        return steps


def check(steps: Iterable[MigrationStep], dialect: str) -> None:
    """Raise `CommandError` if a step should not begin, as far as its text shows it."""
    for step in steps:
        if isinstance(step, RevisionStep):
            path, way = Path(step.revision.path), "upgrade" if step.is_upgrade else "downgrade"
            if iscoroutinefunction(step.migration_fn):
                raise CommandError(
                    f"{path.name}: {way}() is an 'async def', which nobody would await: make it a "
                    "'def'; nothing was run"
                )
            if dialect == "postgresql":
                check_text(path, way)


@contextmanager
def quietly() -> Iterator[None]:
    """Configure Alembic once more without its two lines about dialect and transactions."""
    alembics = logging.getLogger("alembic.runtime.migration")
    level = alembics.level
    alembics.setLevel(logging.WARNING)
    try:
        yield
    finally:
        alembics.setLevel(level)
