"""What `alembic/env.py` runs, whoever started Alembic: make, its command line, or code."""

import gc
import logging
from collections.abc import Awaitable, Callable
from logging.config import fileConfig
from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit import signals
from dbkit.connection.failures import DatabaseUnavailable
from dbkit.connection.throwaway import throwaway_database
from dbkit.connection.url import DatabaseURL, migration_database, throwaway_home
from app.migrator import autogenerate, files, offline
from dbkit.request import asked_for, only_reads_files, reads
from dbkit.execution.connected import connected, run_async
from dbkit.execution.failures import explained
from dbkit.execution.executor import Run
from dbkit.settings import SettingsError


def run(metadata: MetaData) -> None:
    """Do what the command asks for, against the configured database.

    `config.attributes["database"]` may hold a `DatabaseURL` to use instead.

    Raises:
        CommandError: one line, which Alembic prints behind `FAILED:`.
    """
    config = context.config
    options = asked_for()
    if config.cmd_opts is not None and config.config_file_name:  # started by hand, not by the app
        # Modules live as long as the command: to collect them again and again is a tenth of it.
        gc.freeze()
        signals.end_like_ctrl_c()
        if not only_reads_files(options, config.cmd_opts):
            fileConfig(config.config_file_name, disable_existing_loggers=False)
    try:
        with explained(context):
            _run(metadata, options)
    except (DatabaseUnavailable, SettingsError) as error:
        raise CommandError(str(error)) from None


def _run(metadata: MetaData, options: dict[str, Any]) -> None:
    config = context.config
    if only_reads_files(options, config.cmd_opts):
        options["fn"]((), context.get_context())
        return
    revision = options.get("revision_context")
    asked = revision.command_args if revision else {}
    if "template_args" in options:  # revision, merge or check
        files.guard(context.script)
        files.check_command(context.script, config.cmd_opts, asked)
        if not asked.get("autogenerate"):
            return  # the file is all: no database is needed
    database = config.attributes.get("database") or migration_database()
    configure = _Configure(metadata, database)
    if context.is_offline_mode():
        offline.run(configure, database, options["fn"])
    elif asked.get("message") is not None:
        run_async(_compare_with_throwaway(database, configure, options["fn"]))
    elif database.in_memory:
        raise CommandError("a database in memory would be gone with this command")
    elif options["fn"].__name__ == "do_ensure_version":
        run_async(connected(database, _ensure_version(configure)))
    elif reads(options) or revision:
        run_async(connected(database, _read(configure)))
    else:
        purge = bool(options.get("purge"))
        run = Run(database, configure, options["fn"], options.get("destination_rev"), purge=purge)
        run_async(connected(database, run))


class _Configure:
    """`context.configure` with all that this project asks of Alembic for one database."""

    def __init__(self, metadata: MetaData, database: DatabaseURL) -> None:
        self.options: dict[str, Any] = {
            "target_metadata": metadata,
            # PostgreSQL: what is done stays done when a later revision fails. SQLite: one
            # transaction for all, which Alembic would not even begin by itself.
            "transaction_per_migration": database.dialect == "postgresql",
            "transactional_ddl": True,
            **autogenerate.options(context.config, database.dialect, metadata),
        }

    def __call__(self, **options: Any) -> None:
        context.configure(**self.options, **options)


def _read(configure: _Configure) -> Callable[[AsyncConnection], Awaitable[None]]:
    def read(connection: Connection) -> None:
        configure(connection=connection, dont_mutate=True)
        with explained(context), context.begin_transaction():
            context.run_migrations()

    return lambda connection: connection.run_sync(read)


def _ensure_version(configure: _Configure) -> Callable[[AsyncConnection], Awaitable[None]]:
    """`alembic ensure_version`, which has no steps to run and none to wait for."""

    def ensure(connection: Connection) -> None:
        configure(connection=connection)
        context.get_context()._ensure_version_table()
        connection.commit()

    return lambda connection: connection.run_sync(ensure)


async def _compare_with_throwaway(
    database: DatabaseURL, configure: _Configure, compare: Callable[..., Any]
) -> None:
    """Compare the models with what the revisions build, never with what a database holds."""

    def upgrade(revision: Any, _context: Any) -> Any:
        return context.script._upgrade_revs("heads", revision)

    def work(connection: Connection) -> None:
        configure(connection=connection, fn=compare, dont_mutate=True)
        context.run_migrations()

    home = throwaway_home()
    if home.dialect != database.dialect:
        home = database
    log = logging.getLogger("alembic.runtime.migration")
    level = log.level
    async with throwaway_database(home) as throwaway:
        log.setLevel(logging.WARNING)  # "Running upgrade" would read as if of the real database
        await connected(throwaway, Run(throwaway, configure, upgrade))
        log.setLevel(level)
        await connected(throwaway, lambda connection: connection.run_sync(work))
