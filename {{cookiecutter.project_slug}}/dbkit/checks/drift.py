"""Drift: a live database that is not what its revisions build."""

from alembic.util import CommandError

from dbkit.checks.failing import find_failing
from dbkit.checks.live import look_at
from dbkit.checks.pictures import take_picture
from dbkit.checks.report import Report
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL
from dbkit.locking import reading
from dbkit.revisions import read_current
from dbkit.schema import differences, without_indexes
from dbkit.schema.mending import Mend, mends

OF_THE_REVISIONS, OF_THE_DATABASE = "the revisions", "the database"


async def find_drift(
    database: DatabaseURL,
    built: DatabaseURL,
    current: tuple[str, ...],
    options: EnvironmentOptions,
    report: Report,
) -> None:
    """Print each object that differs, with the SQL that would mend it, and note it in `report`.

    Owners, privileges and the order of columns are an administrator's, and not compared: what was
    changed of them since the last run is printed, too.

    Args:
        database: the live one, which is only read.
        built: one that the revisions have built up to where the live one stands, on a server of
            the same version.
        current: where that is.

    Raises:
        CommandError: somebody has migrated the live one meanwhile.
    """
    expected, live = await take_picture(built, options), await look_at(database, options)
    await _refuse_if_migrated(database, current, options)
    expected, found = without_indexes(expected, live.unfinished), live.picture
    report.drift = []
    for difference, mend in mends(differences(expected, found), expected, found):
        report.add_drift(difference, mend, live.changes.date_of(difference))
        line = difference.describe(OF_THE_REVISIONS, OF_THE_DATABASE)
        print(live.changes.dated(difference, line))
        _print_mend(mend)
    drift = report.drift
    live.changes.print_others({one["object"] for one in drift}, is_compared=True)
    find_failing(found, expected)
    if not drift:
        return
    count = "1 object differs" if len(drift) == 1 else f"{len(drift)} objects differ"
    report.add(
        "drift",
        [
            f"drift: {count} from what the revisions build, listed above "
            "(write a revision, mend the database, or name what is not yours in leave_alone)"
        ],
    )


async def _refuse_if_migrated(
    database: DatabaseURL, before: tuple[str, ...], options: EnvironmentOptions
) -> None:
    """What a run has just done is no drift, and the SQL that takes it away must not be shown."""
    async with reading(database) as connection:
        now = await read_current(connection, options)
    if {*now} != {*before}:
        stands = ", ".join(now) or "base"
        raise CommandError(
            f"the database was migrated meanwhile, and stands at {stands}: type it once more"
        )


def _print_mend(mend: Mend) -> None:
    """Print SQL as it is to be typed: in the text of a function, an indentation would count."""
    for statement in mend.statements:
        print(statement if "\n" in statement else f"  {statement}")
    if mend.instead:
        print(f"  ({mend.instead})")
