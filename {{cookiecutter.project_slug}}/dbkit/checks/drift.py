"""Drift: a live database that is not what its revisions build."""

from dbkit.checks.failing import find_failing, without
from dbkit.checks.live import look_at
from dbkit.checks.pictures import take_picture
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL
from dbkit.schema import differences

OF_THE_REVISIONS, OF_THE_DATABASE = "the revisions", "the database"


async def find_drift(
    database: DatabaseURL, built: DatabaseURL, options: EnvironmentOptions
) -> list[str]:
    """Print each object that differs; return a line if that is any.

    Owners, privileges and the order of columns are an administrator's, and not compared: what was
    changed of them since the last run is printed, too.

    Args:
        database: the live one, which is only read.
        built: one that the revisions have built up to where the live one stands.
    """
    expected, live = await take_picture(built, options), await look_at(database, options)
    expected, found = without(expected, live.unfinished), live.picture
    if expected.version != found.version:
        print(
            f"not compared with its revisions: the database is on version {found.version} of its "
            f"server, throwaway databases on {expected.version} (TEST_DATABASE_URL chooses it)"
        )
        return live.report_alone()
    drift = differences(expected, found)
    for difference in drift:
        line = difference.describe(OF_THE_REVISIONS, OF_THE_DATABASE)
        print(live.changes.dated(difference, line))
    live.changes.print_others({one.key for one in drift}, is_compared=True)
    find_failing(found, expected)
    if not drift:
        return []
    count = "1 object differs" if len(drift) == 1 else f"{len(drift)} objects differ"
    return [
        f"drift: {count} from what the revisions build, listed above "
        "(write a revision, mend the database, or name what is not yours in leave_alone)"
    ]
