"""The round trip: all revisions up, each one down again, and up, on a throwaway database."""

from dbkit.checks.downgrades import DowngradeCheck
from dbkit.checks.heads import find_unmerged_heads
from dbkit.checks.models import find_model_differences
from dbkit.checks.pictures import take_picture
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect, throwaway_database
from dbkit.execution import downgrade, upgrade
from dbkit.revisions import compare_revisions, read_current


async def check_round_trip(home: DatabaseURL, options: EnvironmentOptions) -> list[str]:
    """Run the round trip beside the database `home`, which is not touched; prints each stage.

    Returns:
        A line for each problem.

    Raises:
        DatabaseUnavailable: no connection.
        CommandError: a revision failed.
    """
    problems = find_unmerged_heads()
    async with throwaway_database(home) as database:
        print(f"up to head on a throwaway database ({database.dialect})")
        check = DowngradeCheck(options, await take_picture(database, options))
        await upgrade(database, options, observe=check.after_upgrade)
        problems += await find_model_differences(database, options)
        print("down to base")
        await downgrade(database, options, observe=check.after_downgrade)
        if check.problems:  # applying the revisions again would meet what was left
            return problems + check.problems
        print("up again")
        await upgrade(database, options)
        async with connect(database) as connection:
            status = compare_revisions(await read_current(connection, options))
    print(f"current: {', '.join(status.current) or 'none'}; pending: {status.pending}")
    return problems
