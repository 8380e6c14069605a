"""How long an upgrade waits in all: retries with exponential backoff and jitter."""

import asyncio
import logging
import random
from time import monotonic

from dbkit.revisions import MigrationError

log = logging.getLogger("alembic.migrator")

FIRST_PAUSE = 0.1  # seconds
LONGEST_PAUSE = 10.0


class WaitBudget:
    """The time that is left to wait for another instance and for locks. Work does not use it up.

    Args:
        seconds: the budget (`MIGRATION_WAIT`).
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.waited = 0.0
        self._logged = ""

    async def back_off(
        self, tries: int, reason: str, then: str = "", *, longest: float = LONGEST_PAUSE
    ) -> None:
        """Sleep before the next try, longer each time; log each reason once.

        Half of the pause is random, so that instances that began together do not stay together.

        Raises:
            MigrationError: the budget is used up.
        """
        left = self.seconds - self.waited
        if left <= 0:
            raise MigrationError(f"gave up after {self.seconds:g} s (MIGRATION_WAIT): {reason}")
        if reason + then != self._logged:
            log.warning("%s%s", reason, then)
            self._logged = reason + then
        pause = min(longest, FIRST_PAUSE * 2 ** min(tries, 10))
        pause = min(left, random.uniform(pause / 2, pause))  # noqa: S311 - no secret depends on it
        begun = monotonic()
        await asyncio.sleep(pause)
        self.spend(monotonic() - begun)

    def spend(self, seconds: float) -> None:
        """Count time that was spent waiting elsewhere."""
        self.waited += seconds
