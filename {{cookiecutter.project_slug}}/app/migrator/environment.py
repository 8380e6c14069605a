"""What `alembic/env.py` runs, whoever started Alembic: make, its command line, or code."""

import asyncio
import gc
import logging
from collections.abc import Callable
from logging.config import fileConfig
from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, NullPool

from app.database import signals
from app.database.errors import DatabaseUnavailable, one_line
from app.database.session import create_engine
from app.database.throwaway import throwaway_database
from app.database.url import DatabaseURL, migration_database, throwaway_home
from app.migrator import autogenerate, files, sqlite
from app.migrator.asked import asked_for, only_reads_files, reads
from app.migrator.failures import explained
from app.settings import SettingsError


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
        configure(url=database.url, literal_binds=True, dialect_opts={"paramstyle": "named"})
        with context.begin_transaction():
            context.run_migrations()
    elif asked.get("message") is not None:
        asyncio.run(_compare_with_throwaway(database, configure, options["fn"]))
    elif database.in_memory:
        raise CommandError("a database in memory would be gone with this command")
    else:
        writes = not (reads(options) or revision)
        work = _run_on(configure, dont_mutate=not writes)
        asyncio.run(_connected(database, work, writes=writes))


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


def _run_on(configure: _Configure, *, dont_mutate: bool) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        configure(connection=connection, dont_mutate=dont_mutate)
        with explained(context), context.begin_transaction():
            context.run_migrations()
            if connection.dialect.name == "sqlite" and not dont_mutate:
                sqlite.check_foreign_keys(connection)

    return run


async def _connected(
    database: DatabaseURL, work: Callable[[Connection], None], *, writes: bool = True
) -> None:
    engine = create_engine(database, poolclass=NullPool)
    if database.dialect == "sqlite":
        sqlite.prepare_for_migrations(engine, writes=writes)
    try:
        with one_line(database):
            async with engine.connect() as connection:
                await connection.run_sync(work)
                await connection.commit()
    finally:
        await engine.dispose()


async def _compare_with_throwaway(
    database: DatabaseURL, configure: _Configure, compare: Callable[..., Any]
) -> None:
    """Compare the models with what the revisions build, never with what a database holds."""

    def build(revision: Any, _context: Any) -> Any:
        return context.script._upgrade_revs("heads", revision)

    def work(connection: Connection) -> None:
        log = logging.getLogger("alembic.runtime.migration")
        level = log.level
        log.setLevel(logging.WARNING)  # "Running upgrade" would read as if of the real database
        configure(connection=connection, fn=build)
        with explained(context), context.begin_transaction():
            context.run_migrations()
        connection.commit()
        log.setLevel(level)
        configure(connection=connection, fn=compare)
        context.run_migrations()

    home = throwaway_home()
    if home.dialect != database.dialect:
        home = database
    async with throwaway_database(home) as throwaway:
        await _connected(throwaway, work)
