"""What `alembic/env.py` runs, whoever called Alembic: make, its command line, or code.

This is the only reader of `alembic.context`. It turns what the command has put there into one
`Request`, and hands it to whatever carries it out.
"""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from logging.config import fileConfig
from typing import Any

from alembic import context
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData

import dbkit.operations  # noqa: F401 - registers op.create_index_online and its like
from dbkit import execution, signals
from dbkit.config import DATABASE, EnvironmentOptions, alembic_config
from dbkit.connection import DatabaseURL, migration_database, throwaway_database, throwaway_home
from dbkit.errors import DatabaseUnavailable, SettingsError
from dbkit.request import Kind, Request
from dbkit.revisions import writer

COLLECTED = "options"  # the attribute of a `Config` that wants the options, and nothing done


def run(metadata: Callable[[], MetaData], **configure: Any) -> None:
    """Do what the command asks for, on the configured database.

    `config.attributes["database"]` may hold a `DatabaseURL` to use instead.

    Args:
        metadata: returns the models' tables; called only by what compares or writes models.
        configure: keywords of `EnvironmentContext.configure` that the service chooses:
            https://alembic.sqlalchemy.org/en/latest/api/runtime.html

    Raises:
        CommandError: one line, which Alembic prints behind `FAILED:`.
    """
    options = EnvironmentOptions(metadata, configure)
    config = context.config
    if COLLECTED in config.attributes:
        config.attributes[COLLECTED] = options
        return
    environment, request = _read_request()
    if config.cmd_opts is not None and config.config_file_name:  # started by hand, not by the app
        # Modules live as long as the command: collecting them again and again is a tenth of it.
        gc.freeze()
        signals.end_like_ctrl_c()
        if request.kind is not Kind.FILES_ONLY:
            fileConfig(config.config_file_name, disable_existing_loggers=False)
    try:
        with execution.one_line(environment.script):
            _carry_out(environment, request, options)
    except (DatabaseUnavailable, SettingsError) as error:
        raise CommandError(str(error)) from None


@cache
def load_options() -> EnvironmentOptions:
    """Return what `alembic/env.py` says, without doing anything on a database."""
    config = alembic_config()
    config.attributes[COLLECTED] = None
    directory = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, directory):
        directory.run_env()
    options: EnvironmentOptions = config.attributes[COLLECTED]
    return options


def _read_request() -> tuple[EnvironmentContext, Request]:
    """Turn the options that Alembic's command has put aside into a `Request`.

    Alembic shows them only to a context, so one is made, of any dialect.
    """
    with execution.quiet():
        context.configure(dialect_name="sqlite")
    migration = context.get_context()
    environment = migration.environment_context
    if environment is None:
        raise CommandError("alembic/env.py runs inside of Alembic's commands only")
    options = dict(migration.opts)
    revision = options.get("revision_context")
    arguments = revision.command_args if revision else {}
    request = Request(
        kind=_kind(options, arguments),
        find=options["fn"],
        destination=options.get("destination_rev", "heads"),
        purge=bool(options.get("purge")),
        revision_arguments=arguments,
    )
    return environment, request


def _kind(options: dict[str, Any], arguments: dict[str, Any]) -> Kind:
    """Tell the commands apart by the options that each of them gives.

    Only commands that change something can be had as SQL, and give `as_sql`.
    """
    if "template_args" in options:  # revision, merge or check
        if not arguments.get("autogenerate"):
            return Kind.NEW_REVISION
        return Kind.READ if arguments["message"] is None else Kind.AUTOGENERATE
    if "as_sql" not in options:
        return Kind.FILES_ONLY if _shows_no_current() else Kind.READ
    if options["as_sql"]:
        return Kind.OFFLINE
    return Kind.RUN if "destination_rev" in options else Kind.CREATE_VERSION_TABLE


def _shows_no_current() -> bool:
    """Whether `alembic history`, as typed, does not mark where the database is."""
    typed = context.config.cmd_opts
    if typed is None or getattr(typed, "indicate_current", True):
        return False
    return "current" not in (typed.rev_range or "")


def _carry_out(
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
    elif database.in_memory:
        raise CommandError("a database in memory would be gone with this command")
    elif request.kind is Kind.RUN:
        executor = execution.Executor(environment, database, request, keywords)
        _run_async(_with_connection(database, executor.run))
    else:
        if arguments:
            keywords = _compare_keywords(environment, database, options)
        work = _create_version_table if request.kind is Kind.CREATE_VERSION_TABLE else _read

        async def read(connection: Any) -> None:
            await connection.run_sync(work, environment, request, keywords)

        _run_async(_with_connection(database, read))


async def _with_connection(database: DatabaseURL, work: Callable[[Any], Any]) -> None:
    async with execution.migration_connection(database) as connection:
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
    with execution.one_line(environment.script, heads=heads), environment.begin_transaction():
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
        migration.stamp(environment.script, "base")  # creates the table, and has no step
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
