"""Upgrades and downgrades for code with a running event loop, without Alembic's commands."""

from contextlib import nullcontext
from dataclasses import replace

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep, StampStep
from alembic.util import CommandError

from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.connection import DatabaseURL
from dbkit.execution.attempt import Observer
from dbkit.execution.connection import migration_connection
from dbkit.execution.context import alembic_environment
from dbkit.execution.executor import Executor
from dbkit.execution.steps import downgrade_steps, upgrade_steps
from dbkit.history import Scope
from dbkit.locking import WaitBudget
from dbkit.request import FindSteps, Kind, Request
from dbkit.revisions import one_line, scripts


async def upgrade(
    database: DatabaseURL,
    options: EnvironmentOptions,
    to: tuple[str, ...] = ("heads",),
    budget: WaitBudget | None = None,
    observe: Observer | None = None,
    environment: EnvironmentContext | None = None,
    *,
    keep_schema: bool = False,
) -> None:
    """Apply all revisions up to some; cancelled, it rolls back the one that is under way.

    Args:
        database: the database.
        options: what `alembic/env.py` says.
        to: identifiers of revisions, by default the newest.
        budget: what is left to wait, also for the server to answer; without one, that is not waited
            for.
        observe: called after each revision, with the connection and where the database stands.
        environment: the one of a command of Alembic's that is being executed, with its revisions.
        keep_schema: let the history keep the schema before and after: of no throwaway database.

    Raises:
        CommandError: a revision failed, or should not be run; one line.
        DatabaseUnavailable: no connection.
    """
    find = upgrade_steps(environment.script if environment else scripts(), to)
    scope = Scope.of(options) if keep_schema else None
    await _execute(database, options, find, ", ".join(to), budget, observe, environment, scope)


async def downgrade(
    database: DatabaseURL,
    options: EnvironmentOptions,
    to: str = "base",
    observe: Observer | None = None,
) -> None:
    """Revert revisions, all but a baseline or those that come after one; see `upgrade`."""
    await _execute(database, options, downgrade_steps(scripts(), to), to, observe=observe)


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
    environment: EnvironmentContext | None = None,
    scope: Scope | None = None,
    *,
    adopts: bool = False,
) -> None:
    request = Request(Kind.RUN, find, destination)
    keywords = run_keywords(options, database.dialect)
    given = nullcontext(environment) if environment else None
    async with given or alembic_environment(alembic_config(database), scripts()) as used:
        executor = Executor(used, database, request, keywords, budget, scope)
        executor.attempt.observe = observe
        executor.progress.author = replace(executor.progress.author, adopts=adopts)
        with one_line(used.script):
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
