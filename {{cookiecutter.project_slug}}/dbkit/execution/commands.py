"""Upgrades and downgrades for code with a running event loop, without Alembic's commands."""

from dataclasses import replace

from alembic.runtime.migration import MigrationContext, MigrationStep, StampStep
from alembic.util import CommandError

from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.connection import DatabaseURL
from dbkit.execution.attempt import Observer
from dbkit.execution.connection import migration_connection
from dbkit.execution.context import alembic_environment
from dbkit.execution.executor import Executor
from dbkit.execution.steps import downgrade_steps, upgrade_steps
from dbkit.locking import WaitBudget
from dbkit.request import FindSteps, Kind, Request
from dbkit.revisions import one_line, scripts


async def upgrade(
    database: DatabaseURL,
    options: EnvironmentOptions,
    to: tuple[str, ...] = ("heads",),
    budget: WaitBudget | None = None,
    observe: Observer | None = None,
) -> None:
    """Apply all revisions up to some; cancelled, it rolls back the one that is under way.

    Args:
        database: the database.
        options: what `alembic/env.py` says.
        to: identifiers of revisions, by default the newest.
        budget: what is left to wait, also for the server to answer; without one, that is not waited
            for.
        observe: called after each revision, with the connection and where the database stands.

    Raises:
        CommandError: a revision failed, or should not be run; one line.
        DatabaseUnavailable: no connection.
    """
    find = upgrade_steps(scripts(), to)
    await _execute(database, options, find, ", ".join(to), budget, observe)


async def downgrade(
    database: DatabaseURL, options: EnvironmentOptions, observe: Observer | None = None
) -> None:
    """Revert all revisions but a baseline. For arguments and errors, see `upgrade`."""
    await _execute(database, options, downgrade_steps(scripts()), "base", observe=observe)


async def adopt(database: DatabaseURL, options: EnvironmentOptions, revision: str) -> None:
    """Record that a database holds what its first revision builds, without running it.

    Raises:
        CommandError: another revision was recorded meanwhile.
        DatabaseUnavailable: no connection.
    """

    def find(heads: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        if heads:
            raise CommandError(f"the database stands at {', '.join(heads)} meanwhile")
        return [StampStep(None, revision, True, True, scripts().revision_map)]

    await _execute(database, options, find, revision, adopts=True)


async def _execute(
    database: DatabaseURL,
    options: EnvironmentOptions,
    find: FindSteps,
    destination: str,
    budget: WaitBudget | None = None,
    observe: Observer | None = None,
    *,
    adopts: bool = False,
) -> None:
    request = Request(Kind.RUN, find, destination)
    keywords = run_keywords(options, database.dialect)
    async with alembic_environment(alembic_config(database), scripts()) as environment:
        executor = Executor(environment, database, request, keywords, budget)
        executor.attempt.observe = observe
        executor.progress.author = replace(executor.progress.author, adopts=adopts)
        with one_line(scripts()):
            async with migration_connection(database, budget) as connection:
                await executor.run(connection)


def run_keywords(options: EnvironmentOptions, dialect: str) -> dict[str, object]:
    """Return the keywords of `EnvironmentContext.configure` for executing revisions."""
    return {
        **options.configure,
        # PostgreSQL: what is done stays done when a later revision fails. SQLite: one
        # transaction for all, which Alembic would not even begin by itself.
        "transaction_per_migration": dialect == "postgresql",
        "transactional_ddl": True,
    }
