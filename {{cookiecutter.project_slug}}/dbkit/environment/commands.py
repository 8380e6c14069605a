"""Carries out each kind of request with the package that knows how."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, TextIO

from alembic import command
from alembic.runtime.environment import EnvironmentContext
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit import execution
from dbkit.config import DATABASE, EnvironmentOptions
from dbkit.connection import DatabaseURL, migration_database
from dbkit.environment.comparing import autogenerate, check
from dbkit.environment.read_only import read
from dbkit.environment.stamps import check_stamp
from dbkit.history import Scope
from dbkit.locking import WaitBudget, limited_waits
from dbkit.memory import no_garbage_collection
from dbkit.request import Kind, Request
from dbkit.revisions import writer
from dbkit.settings import get_settings

log = logging.getLogger("alembic.migrator")


def carry_out(
    environment: EnvironmentContext, request: Request, options: EnvironmentOptions
) -> None:
    if request.kind is Kind.FILES_ONLY:
        request.find((), environment.get_context())
        return
    script, arguments = environment.script, request.revision_arguments
    if request.kind in (Kind.NEW_REVISION, Kind.AUTOGENERATE) or arguments:
        writer.protect_files(script, arguments)
        writer.check_command(script, environment.config.cmd_opts, arguments)
    if request.kind is Kind.NEW_REVISION:
        return
    database = environment.config.attributes.get(DATABASE) or migration_database()
    keywords = execution.run_keywords(options, database.dialect)
    typed = environment.config.cmd_opts  # None in a program that calls Alembic
    uncollected = no_garbage_collection(ends_process=typed is not None)
    if request.kind is Kind.OFFLINE:
        sql = execution.render(environment, database, request, keywords)
        _write(environment.config.output_buffer or sys.stdout, sql)
    elif request.kind is Kind.AUTOGENERATE:
        with uncollected:
            _run_async(autogenerate(environment, database, request, options))
    elif arguments:
        with uncollected:
            _run_async(check(environment, database.for_reading(), request, options))
    elif request.kind is Kind.RUN:
        waiting, scope = WaitBudget(get_settings().migration_wait), Scope.of(options)
        if typed is not None and typed.cmd[0] is command.stamp:
            _run_async(check_stamp(environment, database, request, options, waiting))
        executor = execution.Executor(environment, database, request, keywords, waiting, scope)
        _run_async(_with_connection(database, executor.run, executor.budget))
    else:
        if request.kind is Kind.READ:
            database = database.for_reading()
        writes = request.kind is Kind.CREATE_VERSION_TABLE
        work = _create_version_table if writes else read
        budget = WaitBudget(get_settings().migration_wait) if writes else None

        async def run(connection: AsyncConnection) -> None:
            async with nullcontext() if writes else limited_waits(connection, database):
                await connection.run_sync(work, environment, keywords)

        _run_async(_with_connection(database, run, budget))


async def _with_connection(
    database: DatabaseURL, work: Callable[[Any], Any], budget: WaitBudget | None = None
) -> None:
    async with execution.migration_connection(database, budget) as connection:
        await work(connection)


def _create_version_table(
    connection: Connection,
    environment: EnvironmentContext,
    keywords: dict[str, Any],
) -> None:
    """Do what `alembic ensure_version` asks for."""
    with execution.quiet():
        migration = execution.configure(environment, connection=connection, **keywords)
    if not migration.get_current_heads():
        execution.create_version_table(migration, environment.script)
    connection.commit()


def _write(output: TextIO, text: str) -> None:
    """Write all of a result at once: what fails before leaves nothing that looks like one."""
    try:
        output.write(text)
        output.flush()
    except BrokenPipeError:  # `| head` has read enough; the end of the process would flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise CommandError(f"the SQL cannot be written: {error.strerror}") from None


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
