"""Compares a database with what the revisions build that a stamp is to record there."""

from collections.abc import Awaitable, Callable

from alembic.util import CommandError

from dbkit.checks.pictures import take_picture
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, throwaway_database
from dbkit.errors import DatabaseUnavailable
from dbkit.schema import Picture, differences

Build = Callable[[DatabaseURL, tuple[str, ...]], Awaitable[None]]


async def compare_stamp(
    revisions: tuple[str, ...],
    found: Picture,
    home: DatabaseURL,
    options: EnvironmentOptions,
    build: Build,
) -> list[str]:
    """Return a line for each object that differs, and one that sums up; none if all is equal.

    Args:
        revisions: what the stamp records.
        found: what the database holds.
        home: where a throwaway database is made.
        options: what `alembic/env.py` says.
        build: runs revisions, up to those given, on a throwaway database.
    """
    names = ", ".join(revisions)
    try:
        async with throwaway_database(home) as throwaway:
            await build(throwaway, revisions)
            built = await take_picture(throwaway, options)
    except (CommandError, DatabaseUnavailable) as error:
        return [f"not compared with what {names} builds: {error}"]
    if built.version != found.version:
        return [
            f"not compared with what {names} builds: the database is on version {found.version} "
            f"of its server, throwaway databases on {built.version}"
        ]
    unequal = differences(built, found)
    if not unequal:
        return []
    count = "1 object differs" if len(unequal) == 1 else f"{len(unequal)} objects differ"
    lines = [difference.describe("the revisions", "the database") for difference in unequal]
    return [*lines, f"{count} from what {names} builds, listed above"]
