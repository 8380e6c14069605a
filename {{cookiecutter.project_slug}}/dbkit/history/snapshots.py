"""The schema before and after a run: fingerprints in its rows, a picture after the newest run.

They tell what was changed by hand since then, also of objects that no revision mentions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, update

from dbkit.history.table import DONE, history
from dbkit.schema import Picture, pack, unpack, words_of


@dataclass(frozen=True)
class Snapshot:
    """The schema as a run left it.

    Args:
        row: the number of the row that has it.
        date: when that row's revision began, in UTC.
        fingerprint: as `Scope.fingerprint` returns it.
        began: the date in seconds since 1970.
    """

    row: int
    date: str
    fingerprint: str
    began: float = 0.0

    def why_not_comparable(self, picture: Picture) -> str | None:
        """Say why it cannot be compared with a picture: another server's version, or kit."""
        if self.fingerprint.startswith(f"{words_of(picture)} "):
            return None
        _, version, _ = self.fingerprint.split(maxsplit=2)
        if version == str(picture.version):
            return f"another version of dbkit read the schema in the run of {self.date}"
        return (
            f"the server was on version {version} in the run of {self.date}, "
            f"and is on {picture.version}"
        )

    def differs(self, fingerprint: str) -> bool:
        """Whether two fingerprints that can be compared are not the same."""
        *words, before = self.fingerprint.split()
        *others, now = fingerprint.split()
        return words == others and before != now


def find_snapshot(rows: Sequence[Row[Any]]) -> Snapshot | None:
    """Return what the last run left; None if it has not kept it: an older kit's, or one killed."""
    for row in reversed(rows):
        if row.fingerprint_after is not None:
            began = row.started_at.replace(tzinfo=UTC).timestamp()
            return Snapshot(row.id, date_of(row), row.fingerprint_after, began)
        if row.outcome == DONE:
            return None
    return None


def find_gaps(rows: Sequence[Row[Any]]) -> list[tuple[str, str]]:
    """Return the dates of each two runs between which the schema was changed by hand."""
    return [
        (date_of(last), date_of(first))
        for (_, last), (first, _) in pairwise(_runs(rows))
        if last.fingerprint_after is not None
        and first.fingerprint_before is not None
        and Snapshot(last.id, "", last.fingerprint_after).differs(first.fingerprint_before)
    ]


def _runs(rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], Row[Any]]]:
    """The first and the last row of each run that changed something."""
    for _, group in groupby(rows, lambda row: row.run_id):
        run = list(group)
        if any(row.outcome == DONE or row.fingerprint_after is not None for row in run):
            yield run[0], run[-1]


def read_picture(connection: Connection, snapshot: Snapshot) -> Picture | None:
    """Return the picture of a snapshot; None if another run has kept its own since."""
    query = select(history.c.picture).where(history.c.id == snapshot.row)
    data = connection.scalar(query)
    try:
        return None if data is None else unpack(data)
    except ValueError:  # somebody else's bytes
        return None


def keep_snapshot(
    connection: Connection, run_id: UUID, before: str, after: str, picture: Picture
) -> None:
    """Keep what a run found and left, in its first and its last row; older pictures go.

    Args:
        before: the fingerprint before the run.
        after: the one after it, of `picture`.

    Raises:
        DBAPIError: the role may not update the table.
    """
    rows = history.c.run_id == run_id
    first, last = (
        select(end(history.c.id)).where(rows).scalar_subquery() for end in (func.min, func.max)
    )
    connection.execute(update(history).where(history.c.picture.is_not(None)).values(picture=None))
    connection.execute(
        update(history).where(history.c.id == first).values(fingerprint_before=before)
    )
    connection.execute(
        update(history)
        .where(history.c.id == last)
        .values(fingerprint_after=after, picture=pack(picture))
    )


def date_of(row: Row[Any]) -> str:
    """Return when a row's revision began, which both drivers say in UTC."""
    return f"{row.started_at:%Y-%m-%d %H:%M} UTC"
