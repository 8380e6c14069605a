"""The deployment gate: what speaks against deploying this code on a database."""

from alembic.util import CommandError

from dbkit.checks.drift import find_drift
from dbkit.checks.heads import find_unmerged_heads
from dbkit.checks.live import look_at
from dbkit.checks.models import find_model_differences
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect, one_line_errors, throwaway_database
from dbkit.execution import upgrade
from dbkit.history import check_ahead, find_edited
from dbkit.revisions import compare_revisions, read_current, scripts


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

    same_kind = home.dialect == database.dialect
    async with throwaway_database(home if same_kind else database) as throwaway:
        if not status.unknown:
            if status.current:
                await upgrade(throwaway, options, status.current)
            problems += await find_drift(source, throwaway, options)
        else:  # revisions of which this code has no file
            problems += (await look_at(source, options)).report_alone()
        await upgrade(throwaway, options)
        problems += await find_model_differences(throwaway, options)
    return problems
