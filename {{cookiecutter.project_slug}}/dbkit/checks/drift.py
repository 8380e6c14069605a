"""Drift: a live database that is not what its revisions build."""

from dbkit.checks.pictures import take_picture
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL
from dbkit.schema import differences

OF_THE_REVISIONS, OF_THE_DATABASE = "the revisions", "the database"


async def find_drift(
    database: DatabaseURL, built: DatabaseURL, options: EnvironmentOptions
) -> list[str]:
    """Print each object that differs; return a line if that is any.

    Owners, privileges and the order of columns are an administrator's, and not compared.

    Args:
        database: the live one, which is only read.
        built: one that the revisions have built up to where the live one stands.
    """
    expected, found = await take_picture(built, options), await take_picture(database, options)
    if expected.version != found.version:
        print(
            f"not compared with its revisions: the database is on version {found.version} of its "
            f"server, throwaway databases on {expected.version} (TEST_DATABASE_URL chooses it)"
        )
        return []
    drift = differences(expected, found)
    for difference in drift:
        print(difference.describe(OF_THE_REVISIONS, OF_THE_DATABASE))
    if not drift:
        return []
    count = "1 object differs" if len(drift) == 1 else f"{len(drift)} objects differ"
    return [
        f"drift: {count} from what the revisions build, listed above "
        "(write a revision, mend the database, or name what is not yours in leave_alone)"
    ]
