"""Compares a database with the models, for commands that write a revision or check."""

import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any
from warnings import catch_warnings, filterwarnings

from alembic.runtime.environment import EnvironmentContext
from alembic.util import CommandError

from dbkit import execution
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, shared_connections, throwaway_home
from dbkit.environment.read_only import read
from dbkit.errors import DatabaseUnavailable
from dbkit.locking import TableLocked, limited_waits
from dbkit.metadata import NO_CHANGES, find_agreement, load_metadata
from dbkit.request import Request
from dbkit.throwaways import Copies, build_from, built_database, find_stock, throwaway_server

log = logging.getLogger("alembic.migrator")


def _compare_keywords(
    environment: EnvironmentContext, database: DatabaseURL, options: EnvironmentOptions
) -> dict[str, Any]:
    from dbkit.autogenerate import autogenerate_options  # only what compares imports the models

    return {
        **execution.run_keywords(options, database.dialect),
        **autogenerate_options(environment.config, database.dialect, options),
    }


async def autogenerate(
    environment: EnvironmentContext,
    database: DatabaseURL,
    request: Request,
    options: EnvironmentOptions,
) -> None:
    """Compare the models with what the revisions build, never with what a database holds."""
    models, config = load_metadata(options), environment.config
    home = _home(database)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(shared_connections())
        place = await stack.enter_async_context(throwaway_server(home, home))
        stock = await find_stock(place, options, environment.script, ("heads",))
        agreement = find_agreement(stock, options, config, models)
        if agreement.is_known and request.revision is not None:
            config.print_stdout(NO_CHANGES)
            request.revision.generated_revisions.clear()
            return
        # What compares takes time to import, and is not needed before this.
        from dbkit.autogenerate import take_pictures, with_pictures, write_proved

        building = build_from(stock, place, options, environment=environment)
        built = await stack.enter_async_context(building)
        keywords = _compare_keywords(environment, database, options)
        pictures = await take_pictures(built, place, keywords, options)
        if pictures is not None and not pictures.differences():
            agreement.note()
        keywords = with_pictures(keywords, pictures, options)

        async with execution.migration_connection(built) as connection:
            with _without_warnings():
                await connection.run_sync(read, environment, keywords | {"fn": request.find})
        if pictures is None or request.revision is None or not request.revision.generated_revisions:
            return
        copies = Copies(built, stock, place, options, environment)
        await write_proved(copies, pictures, environment, request.revision, options)


async def check(
    environment: EnvironmentContext,
    database: DatabaseURL,
    request: Request,
    options: EnvironmentOptions,
) -> None:
    """Do what `alembic check` asks for: compare a database with the models."""
    from dbkit.autogenerate import take_pictures, with_pictures

    keywords = _compare_keywords(environment, database, options)
    pictures = None
    home = _home(database)
    try:
        async with (
            shared_connections(),
            throwaway_server(home, database) as place,
            built_database(place, options, environment=environment) as built,
        ):
            pictures = await take_pictures(built, place, keywords, options, database)
    except TableLocked:  # of the database itself, which is to be compared
        raise
    except DatabaseUnavailable as error:
        log.warning("compared without a throwaway database, which sees less: %s", error)
    keywords = with_pictures(keywords, pictures, options)

    async with (
        execution.migration_connection(database) as connection,
        limited_waits(connection, database),
    ):
        with _without_warnings():
            await connection.run_sync(read, environment, keywords)
    found = pictures.differences() if pictures is not None and not pictures.has_own_writer else []
    written = request.revision.generated_revisions if request.revision is not None else []
    changes = [change for script in written for change in script.upgrade_ops_list]
    if found and all(change.is_empty() for change in changes):  # Alembic has no operation for it
        lines = [one.describe("the database", "the models") for one in found]
        raise CommandError(f"the database is not what the models say: {'; '.join(lines)}")


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Leave out what libraries say of objects that pictures show and of an order that is ours."""
    with catch_warnings():
        for words in ("Skipped unsupported", "autogenerate skipping", "Cannot correctly sort"):
            filterwarnings("ignore", words)
        yield


def _home(database: DatabaseURL) -> DatabaseURL:
    """Return where throwaway databases of the same kind are made."""
    home = throwaway_home()
    return home if home.dialect == database.dialect else database
