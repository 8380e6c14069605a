"""The round trip: all revisions up, each one down again, and up, on a throwaway database."""

from dbkit.checks.downgrades import DowngradeCheck
from dbkit.checks.heads import find_unmerged_heads
from dbkit.checks.models import MODELS_DIFFER, find_model_differences
from dbkit.checks.pictures import take_picture
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect, throwaway_database
from dbkit.execution import downgrade, upgrade
from dbkit.revisions import compare_revisions, one_line, read_current, scripts


async def check_round_trip(
    home: DatabaseURL, options: EnvironmentOptions, begin: str = ""
) -> list[str]:
    """Run the round trip beside the database `home`, which is not touched; prints each stage.

    Args:
        begin: the revision after which it begins; without one, all revisions are tried.

    Returns:
        A line for each problem.

    Raises:
        DatabaseUnavailable: no connection.
        CommandError: a revision failed, or `begin` is none.
    """
    problems = find_unmerged_heads()
    start = _find_start(begin)
    async with throwaway_database(home) as database:
        if start:
            print(f"up to {start} on a throwaway database ({database.dialect}), without a proof")
            await upgrade(database, options, (start,))
        print(f"up to head on a throwaway database ({database.dialect})")
        before = await take_picture(database, options)
        check = DowngradeCheck(options, before, [start] if start else [])
        await upgrade(database, options, observe=check.after_upgrade)
        problems += [MODELS_DIFFER] if await find_model_differences(database, options) else []
        print(f"down to {start or 'base'}")
        await downgrade(database, options, start or "base", observe=check.after_downgrade)
        if check.problems:  # applying the revisions again would meet what was left
            return problems + check.problems
        print("up again")
        await upgrade(database, options)
        async with connect(database) as connection:
            status = compare_revisions(await read_current(connection, options))
    print(f"current: {', '.join(status.current) or 'none'}; pending: {status.pending}")
    return problems


def _find_start(name: str) -> str | None:
    """Return the whole identifier of a revision, None for the base."""
    if not name:
        return None
    with one_line(scripts()):
        revision = scripts().get_revision(name)
    return revision.revision if revision else None
