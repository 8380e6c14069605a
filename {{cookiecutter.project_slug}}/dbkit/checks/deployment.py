"""The deployment gate: what speaks against deploying this code on a database."""

from alembic.util import CommandError

from dbkit.checks.drift import find_drift
from dbkit.checks.models import find_model_differences
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect, one_line_errors, throwaway_database
from dbkit.execution import upgrade
from dbkit.history import check_ahead, edited_files
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
    problems = []
    heads = [scripts().get_revision(name) for name in scripts().get_heads()]
    if len(heads) > 1 and not all(head.branch_labels for head in heads):
        names = ", ".join(head.revision for head in heads)
        problems.append(f"{len(heads)} heads, {names} ('make migration-merge' joins them)")

    with one_line_errors(database):
        async with connect(database) as connection:
            status = compare_revisions(await read_current(connection, options))
            problems += await connection.run_sync(edited_files, scripts())
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
            problems += await find_drift(database, throwaway, options)
        await upgrade(throwaway, options)
        problems += await find_model_differences(throwaway, options)
    return problems
