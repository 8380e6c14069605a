"""Checks that each downgrade restores what was there before its revision."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection

from dbkit.checks.pictures import read_ours
from dbkit.config import EnvironmentOptions
from dbkit.revisions import scripts
from dbkit.schema import Difference, Picture, differences

BEFORE, AFTER = "the schema before it", "the schema after its downgrade"


class DowngradeCheck:
    """Remembers the schema after each revision, and compares each downgrade with it.

    Args:
        options: what `alembic/env.py` says.
        before: what the database holds before the first revision that is checked.
        heads: where it stands then.
    """

    def __init__(
        self, options: EnvironmentOptions, before: Picture, heads: Iterable[str] = ()
    ) -> None:
        self._options = options
        self._heads = frozenset(heads)
        self._expected = {self._heads: before}
        self._latest = before
        self._known: set[tuple[str, tuple[str, ...]]] = set()
        self._failed = 0

    def after_upgrade(self, connection: Connection, heads: Iterable[str]) -> None:
        """Remember the schema that a revision leaves."""
        self._heads = frozenset(heads)
        self._latest = read_ours(connection, self._options).sharing(self._latest)
        self._expected[self._heads] = self._latest

    def after_downgrade(self, connection: Connection, heads: Iterable[str]) -> None:
        """Print what a downgrade leaves different, if the same state was there before.

        What an earlier downgrade left is not printed again.
        """
        reverted, self._heads = self._heads - frozenset(heads), frozenset(heads)
        expected = self._expected.get(self._heads)
        if expected is None:  # of another order of branches
            return
        found = differences(expected, read_ours(connection, self._options))
        new = [one for one in found if self._fact(one) not in self._known]
        self._known = {self._fact(one) for one in found}
        if new:
            self._failed += 1
            print(f"{_file(reverted)}: its downgrade does not restore what was there:")
            for one in new:
                print(f"  {one.describe(BEFORE, AFTER)}")

    @property
    def problems(self) -> list[str]:
        """A line, if a downgrade left something different."""
        if not self._failed:
            return []
        which = "1 downgrade does" if self._failed == 1 else f"{self._failed} downgrades do"
        return [f"{which} not restore what was there before, listed above (correct the revision)"]

    @staticmethod
    def _fact(one: Difference) -> tuple[str, tuple[str, ...]]:
        return one.key, one.facets


def _file(revisions: frozenset[str]) -> str:
    """Return the name of the file of the revision that was reverted."""
    for name in revisions:
        revision = scripts().get_revision(name)
        if revision is not None:
            return Path(revision.path).name
    return "a revision"
