"""The deployment gate: what speaks against deploying this code on a database."""

from contextlib import AsyncExitStack

from alembic.util import CommandError

from dbkit.checks.drift import find_drift
from dbkit.checks.heads import find_unmerged_heads
from dbkit.checks.models import find_model_differences
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect, one_line_errors
from dbkit.history import check_ahead, find_edited
from dbkit.revisions import compare_revisions, read_current, scripts
from dbkit.throwaways import built_database


async def check_deployment(
    database: DatabaseURL, home: DatabaseURL, options: EnvironmentOptions
) -> list[str]:
    """Compare code, revisions and database; prints details.

    Args:
        database: the one to deploy on, which is only read.
        home: where a throwaway database is made, if it is of the same kind.

    Returns:
        A line for each problem: several heads without labels, revisions that are pending, edited
        or unknown, a database or models that differ from what the revisions build.

    Raises:
        DatabaseUnavailable: no connection.
        CommandError: a revision failed on the throwaway database.
    """
    problems = find_unmerged_heads()
    source = database.for_reading()
    with one_line_errors(source):
        async with connect(source) as connection:
            status = compare_revisions(await read_current(connection, options))
            edited = await connection.run_sync(find_edited, scripts(), status.current)
            problems += [edited] if edited else []
            try:
                ahead = await connection.run_sync(check_ahead, status.current, scripts())
                if ahead:
                    print(ahead)
            except CommandError as error:
                problems.append(str(error))
    if status.pending:
        problems.append(f"{status.pending} pending ('make migrate' runs them)")

    beside = home if home.dialect == database.dialect else database
    built: DatabaseURL | None = None
    async with AsyncExitStack() as stack:
        if not status.unknown:
            there = built_database(beside, options, status.current)
            built = await stack.enter_async_context(there)
            problems += await find_drift(source, built, options)
        if built is None or set(status.current) != set(status.head):
            start = built if status.current else None  # an empty one is not worth it
            newest = built_database(beside, options, start=start)
            built = await stack.enter_async_context(newest)
        problems += await find_model_differences(built, options)
    return problems
