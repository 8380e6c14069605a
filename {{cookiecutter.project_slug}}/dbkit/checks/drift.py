"""Drift: a live database that is not what its revisions build."""

from alembic.util import CommandError

from dbkit.checks.failing import find_failing
from dbkit.checks.live import LiveDatabase
from dbkit.checks.report import Report
from dbkit.schema import Picture, differences, without_indexes
from dbkit.schema.mending import Mend, mends

OF_THE_REVISIONS, OF_THE_DATABASE = "the revisions", "the database"


def report_drift(
    expected: Picture, live: LiveDatabase, current: tuple[str, ...], report: Report
) -> None:
    """Print each object that differs, with the SQL that would mend it, and note it in `report`.

    Owners, privileges and the order of columns are an administrator's, and not compared: what was
    changed of them since the last run is printed, too.

    Args:
        expected: what the revisions have built up to where the live database stood, on a server of
            the same version.
        live: the live one.
        current: where it stood before `live` was looked at.

    Raises:
        CommandError: somebody has migrated it meanwhile.
    """
    _refuse_if_migrated(live, current)
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


def _refuse_if_migrated(live: LiveDatabase, before: tuple[str, ...]) -> None:
    """What a run has just done is no drift, and the SQL that takes it away must not be shown."""
    now = live.current
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
