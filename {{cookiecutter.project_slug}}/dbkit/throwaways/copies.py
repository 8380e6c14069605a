"""Copies of what the revisions have built, to try something on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from alembic.runtime.environment import EnvironmentContext

from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, throwaway_database
from dbkit.throwaways.built import built_database
from dbkit.throwaways.stock import Stock


@dataclass(frozen=True)
class Copies:
    """Makes copies; the first one is the database itself, where a template makes the next ones.

    Args:
        built: what the revisions have built; nobody else uses it any more.
        stock: from which it was built.
        home: where copies are made.
        options: what `alembic/env.py` says.
        environment: the one of a command of Alembic's that is being executed.
    """

    built: DatabaseURL
    stock: Stock | None
    home: DatabaseURL
    options: EnvironmentOptions
    environment: EnvironmentContext
    _given: list[DatabaseURL] = field(default_factory=list)

    @asynccontextmanager
    async def make(self) -> AsyncIterator[DatabaseURL]:
        """Yield a copy, to which nobody is connected."""
        if self.stock is None or self.stock.key is None or not self.stock.is_whole:
            async with throwaway_database(self.home, copy_of=self.built) as copy:
                yield copy
        elif not self._given:
            self._given.append(self.built)
            yield self.built
        else:
            another = built_database(self.home, self.options, environment=self.environment)
            async with another as copy:
                yield copy
