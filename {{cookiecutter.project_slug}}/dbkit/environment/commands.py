"""Carries out each kind of request with the package that knows how."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import Connection

from dbkit import execution
from dbkit.config import DATABASE, EnvironmentOptions
from dbkit.connection import DatabaseURL, migration_database, throwaway_database, throwaway_home
from dbkit.locking import WaitBudget
from dbkit.request import Kind, Request
from dbkit.revisions import one_line, writer
from dbkit.settings import get_settings


def carry_out(
    environment: EnvironmentContext, request: Request, options: EnvironmentOptions
) -> None:
    if request.kind is Kind.FILES_ONLY:
        request.find((), environment.get_context())
        return
    script, arguments = environment.script, request.revision_arguments
    if request.kind in (Kind.NEW_REVISION, Kind.AUTOGENERATE) or arguments:
        writer.protect_files(script)
        writer.check_command(script, environment.config.cmd_opts, arguments)
    if request.kind is Kind.NEW_REVISION:
        return
    database = environment.config.attributes.get(DATABASE) or migration_database()
    keywords = execution.run_keywords(options, database.dialect)
    if request.kind is Kind.OFFLINE:
        execution.render(environment, database, request, keywords)
    elif request.kind is Kind.AUTOGENERATE:
        _run_async(_autogenerate(environment, database, request, options))
    elif request.kind is Kind.RUN:
        executor = execution.Executor(environment, database, request, keywords)
        _run_async(_with_connection(database, executor.run, executor.budget))
    else:
        if arguments:
            keywords = _compare_keywords(environment, database, options)
        writes = request.kind is Kind.CREATE_VERSION_TABLE
        work = _create_version_table if writes else _read
        budget = WaitBudget(get_settings().migration_wait) if writes else None

        async def read(connection: Any) -> None:
            await connection.run_sync(work, environment, request, keywords)

        _run_async(_with_connection(database, read, budget))


async def _with_connection(
    database: DatabaseURL, work: Callable[[Any], Any], budget: WaitBudget | None = None
) -> None:
    async with execution.migration_connection(database, budget) as connection:
        await work(connection)


def _read(
    connection: Connection,
    environment: EnvironmentContext,
    request: Request,
    keywords: dict[str, Any],
) -> None:
    """Let a command that only reads do its work, with the revisions of the database at hand."""
    with execution.quiet():
        migration = execution.configure(
            environment, connection=connection, dont_mutate=True, **keywords
        )
    heads = migration.get_current_heads()
    with one_line(environment.script, heads=heads), environment.begin_transaction():
        environment.run_migrations()


def _create_version_table(
    connection: Connection,
    environment: EnvironmentContext,
    request: Request,
    keywords: dict[str, Any],
) -> None:
    """Do what `alembic ensure_version` asks for."""
    with execution.quiet():
        migration = execution.configure(environment, connection=connection, **keywords)
    if not migration.get_current_heads():
        execution.create_version_table(migration, environment.script)
    connection.commit()


def _compare_keywords(
    environment: EnvironmentContext, database: DatabaseURL, options: EnvironmentOptions
) -> dict[str, Any]:
    from dbkit.autogenerate import autogenerate_options  # only what compares imports the models

    return {
        **execution.run_keywords(options, database.dialect),
        **autogenerate_options(environment.config, database.dialect, options),
    }


async def _autogenerate(
    environment: EnvironmentContext,
    database: DatabaseURL,
    request: Request,
    options: EnvironmentOptions,
) -> None:
    """Compare the models with what the revisions build, never with what a database holds."""
    home = throwaway_home()
    if home.dialect != database.dialect:
        home = database
    keywords = _compare_keywords(environment, database, options)
    upgrade = Request(Kind.RUN, execution.upgrade_steps(environment.script))
    async with throwaway_database(home) as throwaway:
        executor = execution.Executor(environment, throwaway, upgrade, keywords)
        with execution.quiet("alembic.migrator"):  # its lines would read as if of the real database
            await _with_connection(throwaway, executor.run)

        async def compare(connection: Any) -> None:
            await connection.run_sync(_read, environment, request, keywords | {"fn": request.find})

        await _with_connection(throwaway, compare)


def _run_async(work: Coroutine[Any, Any, None]) -> None:
    """Run async database work from Alembic's synchronous commands.

    Code may call Alembic's commands while its own event loop runs: the work then has a thread with
    a loop of its own, and that code waits here.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, work).result()
