"""A live database as it is now: what it holds, what fails, and what was changed by hand."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from dbkit.checks.changes import ChangesByHand
from dbkit.checks.failing import find_failing
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL
from dbkit.history import Scope
from dbkit.locking import reading
from dbkit.revisions import read_current
from dbkit.schema import Picture, find_under_construction, read, without_indexes


@dataclass(frozen=True)
class LiveDatabase:
    """What the revisions and the service decide of a live database, and what is known of it.

    Args:
        picture: without indexes that are under construction.
        unfinished: the names of these, which are printed.
        changes: what was changed by hand since the last run.
        current: the revisions at which it stands, read after all else.
    """

    picture: Picture
    unfinished: set[str]
    changes: ChangesByHand
    current: tuple[str, ...] = ()

    def report_alone(self) -> list[str]:
        """Print what is known without a comparison with the revisions; return the problems."""
        self.changes.print_others(set(), is_compared=False)
        return find_failing(self.picture, None)


async def look_at(database: DatabaseURL, options: EnvironmentOptions) -> LiveDatabase:
    """Read a live database. Raises `DatabaseUnavailable`: its catalogue cannot be read."""
    async with reading(database) as connection:
        seen = await connection.run_sync(_look, Scope.of(options))
        await connection.rollback()
        return replace(seen, current=await read_current(connection, options))


def _look(connection: Connection, scope: Scope) -> LiveDatabase:
    unfinished = find_under_construction(connection)
    connection.rollback()
    for name in sorted(unfinished):
        print(f"note: index {name} is being built or dropped at this moment, and is not compared")

    def ours(picture: Picture) -> Picture:
        return without_indexes(scope.filter(picture), unfinished)

    picture = ours(read(connection))
    return LiveDatabase(picture, unfinished, ChangesByHand(connection, picture, ours))
