"""Places revisions in the lanes of a graph, as `git log --graph` does: the newest at the top."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What is drawn beside one revision; lanes count from 0, from the left.

    Args:
        name: of the revision.
        lane: that of its dot.
        passing: lanes that go past it.
        above: lanes that come down from later revisions and end in the dot.
        below: lanes that leave the dot, to its parents.
    """

    name: str
    lane: int
    passing: tuple[int, ...]
    above: tuple[int, ...]
    below: tuple[int, ...]


def place(revisions: Iterable[tuple[str, Sequence[str]]]) -> list[Row]:
    """Return a row for each revision.

    Args:
        revisions: names with those of their parents; a revision stands before its parents.
    """
    rows = []
    expected: list[str | None] = []  # what each lane leads to
    for name, parents in revisions:
        above = [lane for lane, one in enumerate(expected) if one == name]
        lane = above[0] if above else _free(expected)
        for one in (lane, *above):
            expected[one] = None
        passing = [other for other, one in enumerate(expected) if one is not None]
        below = []
        for parent in parents:
            if parent in expected:  # another child has a lane to it already
                below.append(expected.index(parent))
                continue
            free = lane if expected[lane] is None else _free(expected)
            expected[free] = parent
            below.append(free)
        rows.append(Row(name, lane, tuple(passing), tuple(above), tuple(below)))
    return rows


def width(rows: Iterable[Row]) -> int:
    """Return how many lanes there are, at least one."""
    return max(
        (lane + 1 for row in rows for lane in (row.lane, *row.passing, *row.below)), default=1
    )


def _free(expected: list[str | None]) -> int:
    if None not in expected:
        expected.append(None)
    return expected.index(None)
