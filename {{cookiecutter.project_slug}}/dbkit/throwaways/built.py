"""Makes a throwaway database of what the revisions build."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from alembic.runtime.environment import EnvironmentContext

from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, throwaway_database
from dbkit.execution import quiet, upgrade
from dbkit.revisions import scripts
from dbkit.throwaways.stock import Stock, find_stock

log = logging.getLogger(__name__)


@asynccontextmanager
async def built_database(
    home: DatabaseURL,
    options: EnvironmentOptions,
    to: tuple[str, ...] = ("heads",),
    *,
    start: DatabaseURL | None = None,
    environment: EnvironmentContext | None = None,
) -> AsyncIterator[DatabaseURL]:
    """Yield a throwaway database that the revisions have built, dropped at the end.

    On a server that this project's `make db-up` started, it is a clone of a template, which is
    made when it is missing. Elsewhere nothing is kept, and all revisions run.

    Args:
        home: the database beside which it is made, and which is not written to.
        options: what `alembic/env.py` says.
        to: the revisions up to which it is built, by default the newest; none for an empty one.
        start: a throwaway that the revisions have built up to earlier ones. Where no template
            helps, it is taken further, instead of another one being built anew.
        environment: the one of a command of Alembic's that is being executed.

    Raises:
        DatabaseUnavailable: no connection, or no right to create a database.
        CommandError: a revision failed; one line.
    """
    script = environment.script if environment else scripts()
    stock = await find_stock(home, options, script, to)
    build = build_from(stock, home, options, to, start=start, environment=environment)
    async with build as database:
        yield database


@asynccontextmanager
async def build_from(
    stock: Stock | None,
    home: DatabaseURL,
    options: EnvironmentOptions,
    to: tuple[str, ...] = ("heads",),
    *,
    start: DatabaseURL | None = None,
    environment: EnvironmentContext | None = None,
) -> AsyncIterator[DatabaseURL]:
    """Do what `built_database` does, with what `find_stock` has just found for the same."""
    builder = _Builder(home, options, to, environment)
    async with AsyncExitStack() as stack:
        if stock and (database := await builder.try_stages(stock, stack)):
            yield database
        elif start is not None:
            await builder.build(start)
            yield start
        else:
            database = await stack.enter_async_context(throwaway_database(home))
            await builder.build(database, stock)
            yield database


@dataclass(frozen=True)
class _Builder:
    """The arguments are those of `built_database`."""

    home: DatabaseURL
    options: EnvironmentOptions
    to: tuple[str, ...]
    environment: EnvironmentContext | None

    async def try_stages(self, stock: Stock, stack: AsyncExitStack) -> DatabaseURL | None:
        """Build from a template; return None if there is none, or if that fails for any reason.

        What a failing revision prints does not depend on what ran at another time: all of them are
        then run anew.
        """
        if stock.nearest is None and stock.chain.is_complete:
            return None
        try:
            async with AsyncExitStack() as attempt:
                database = await self._build_in_stages(stock, attempt)
                stack.push_async_exit(attempt.pop_all())
                return database
        except Exception as error:
            if isinstance(error.__context__, KeyboardInterrupt):
                raise
            log.debug("built without a template: %s", type(error).__name__)
            return None

    async def _build_in_stages(self, stock: Stock, stack: AsyncExitStack) -> DatabaseURL:
        """Build what can be kept, keep it, and run the other revisions."""
        source = stock.nearest.database if stock.nearest else None
        made = throwaway_database(self.home, copy_of=source)
        database = await stack.enter_async_context(made)
        if not stock.is_whole:
            before = await stock.read_properties(database)
            await self._upgrade(database, stock.chain.destination)
            await stock.keep(database, before)
        if not stock.chain.is_complete:
            await self._upgrade(database, self.to)
        return database

    async def build(self, database: DatabaseURL, stock: Stock | None = None) -> None:
        """Run all revisions, and keep the result if that may be kept."""
        if stock is None or not stock.chain.is_complete:
            await self._upgrade(database, self.to)
            return
        before = await stock.read_properties(database)
        await self._upgrade(database, self.to)
        await stock.keep(database, before)

    async def _upgrade(self, database: DatabaseURL, to: tuple[str, ...]) -> None:
        """Run revisions, if there are any; nobody is to think that it is on the real database."""
        if to:
            with quiet("alembic.migrator"):
                await upgrade(database, self.options, to, environment=self.environment)
