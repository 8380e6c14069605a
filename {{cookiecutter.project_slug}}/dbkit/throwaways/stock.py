"""What a server has of the revisions' templates: found, used, added to, and kept small."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL
from dbkit.connection.beside import connect_beside
from dbkit.connection.development import is_loopback
from dbkit.connection.mark import is_marked, project_mark
from dbkit.throwaways import templates
from dbkit.throwaways.keys import Chain, Link, find_links, make_chain
from dbkit.throwaways.server import read_server
from dbkit.throwaways.templates import Template

log = logging.getLogger(__name__)


@contextmanager
def _doing_without() -> Iterator[None]:
    """Ignore every error of the block: templates only save time, and the caller does without."""
    try:
        yield
    except Exception as error:
        log.debug("no template: %s", type(error).__name__)


async def find_stock(
    home: DatabaseURL, options: EnvironmentOptions, script: ScriptDirectory, to: tuple[str, ...]
) -> "Stock | None":
    """Look for templates beside `home` of what the revisions up to `to` build; drop old ones.

    Returns:
        None where no template may be kept: on a server that is not this project's own, for
        revisions of which nobody can tell what they build, and if anything goes wrong.
    """
    # SQLite has no host.
    if not to or not is_loopback(home.url.host) or project_mark() is None:
        return None
    with _doing_without():
        async with connect_beside(home) as connection:
            if await is_marked(connection):
                server = await read_server(home, connection)
                return await _look(home, find_links(script, to, options, server), connection)
    return None


async def _look(
    home: DatabaseURL, links: list[Link], connection: AsyncConnection
) -> "Stock | None":
    found = await templates.find_templates(home, connection)
    numbers = {link.key.hex(): number for number, link in enumerate(links, 1)}
    fitting = [one for one in found if one.key in numbers]
    nearest = max(fitting, key=lambda one: numbers[one.key], default=None)
    await templates.drop_old([one for one in found if one is not nearest], connection)
    if nearest is not None:
        await templates.note_use(nearest, connection)
    # What the template holds was looked at when it was made, by the same code.
    chain = make_chain(links, numbers[nearest.key] if nearest else 0)
    return Stock(home, chain, nearest) if chain.known else None


@dataclass(frozen=True)
class Stock:
    """The template that comes nearest to what a chain of revisions builds, if there is one."""

    home: DatabaseURL
    chain: Chain
    nearest: Template | None

    @property
    def is_whole(self) -> bool:
        """Whether the template holds all that can be kept."""
        return self.nearest is not None and self.nearest.key == self.chain.key

    @property
    def key(self) -> str | None:
        """What names the database that all revisions build; None where that is not known."""
        return self.chain.key if self.chain.is_complete else None

    async def read_properties(self, database: DatabaseURL) -> object:
        """Return what `database` has that a clone would lack; None if that cannot be known."""
        with _doing_without():
            async with connect_beside(self.home) as connection:
                return await templates.read_properties(database, connection)
        return None

    async def keep(self, built: DatabaseURL, before: object) -> None:
        """Make a template of `built`, to which nobody is connected, to be found by the key.

        Args:
            before: its properties before the revisions ran. If they changed one, such as by ALTER
                DATABASE … SET, a clone would be another database: it is not kept.
        """
        with _doing_without():
            async with connect_beside(self.home) as connection:
                if before == await templates.read_properties(built, connection):
                    await templates.keep(built, self.chain.key, self.home, connection)
