"""What was changed by hand since the last run, by the picture that the history keeps of it."""

from collections.abc import Callable, Collection
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dbkit.errors import error_text
from dbkit.history import find_gaps, find_snapshot, read_history, read_picture
from dbkit.schema import Difference, Picture, differences

THEN, NOW = "that run", "the database"
# They move when an earlier column is dropped, which is told for itself.
MOVING = {"position"}
GAPS = 3  # the newest ones are printed


class ChangesByHand:
    """What differs between the end of the last run and now.

    Args:
        connection: to the live database.
        now: what it holds of the service's.
        ours: takes the same out of another picture.
    """

    def __init__(
        self, connection: Connection, now: Picture, ours: Callable[[Picture], Picture]
    ) -> None:
        self._changed: dict[str, Difference] = {}
        self._administration: list[Difference] = []
        self._gaps: list[tuple[str, str]] = []
        self._date: str | None = None  # of the last run, if pictures can be compared
        self._unknown = "the last run has kept no picture of the schema"
        try:
            self._compare(connection, now, ours)
        except DBAPIError as error:  # a role that may read all but the history
            connection.rollback()
            self._unknown = error_text(error)

    def _compare(
        self, connection: Connection, now: Picture, ours: Callable[[Picture], Picture]
    ) -> None:
        rows = read_history(connection)
        self._gaps = find_gaps(rows)
        last = find_snapshot(rows)
        if last is None:
            return
        if reason := last.why_not_comparable(now):
            self._unknown = reason
            return
        stored = read_picture(connection, last)
        if stored is None:
            return
        before = ours(stored)
        self._date = last.date
        self._changed = {one.key: one for one in differences(before, now)}
        found = differences(before, now, administration=True)
        self._administration = [one for one in map(self._of_administration, found) if one]

    def _of_administration(self, difference: Difference) -> Difference | None:
        """Return what of a difference no revision decides: owner, privileges, settings."""
        known = self._changed.get(difference.key)
        if difference.first is None or difference.second is None:
            return None if known else difference
        left_out = MOVING.union(known.facets if known else ())
        facets = tuple(name for name in difference.facets if name not in left_out)
        return replace(difference, facets=facets) if facets else None

    def date_of(self, difference: Difference) -> str | None:
        """Return the date of the last run, if the object was changed by hand since then."""
        return self._date if difference.key in self._changed else None

    def dated(self, difference: Difference, line: str) -> str:
        """Return the line of a difference from the revisions, and since when it is there."""
        if self._date is None:
            return line
        what = "changed by hand" if difference.key in self._changed else "as it was left"
        when = "since" if difference.key in self._changed else "by"
        return f"{what} {when} the run of {self._date}: {line}"

    def print_others(self, drift: Collection[str], *, is_compared: bool) -> None:
        """Print what else was changed, and why nothing is known of it.

        Args:
            drift: the keys of what was printed as different from the revisions.
            is_compared: whether the database was compared with the revisions.
        """
        if self._date is None:
            if drift:
                print(f"when it was changed is not known: {self._unknown}")
            elif not is_compared:
                print(f"what was changed by hand is not known: {self._unknown}")
            return
        since = f"note: changed by hand since the run of {self._date}"
        for key, difference in self._changed.items():
            if key not in drift:  # the revisions build it so, or do not build what it belongs to
                print(f"{since}: {difference.describe(THEN, NOW)}")
        for difference in self._administration:
            print(f"{since}: {difference.describe(THEN, NOW)}")
        if drift - self._changed.keys():
            for begin, end in self._gaps[-GAPS:]:
                print(f"the schema was changed by hand between the runs of {begin} and {end}")
