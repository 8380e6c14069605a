"""How long an upgrade waits in all: for another instance and for locks, retries included."""

import asyncio
import logging
import random
from time import monotonic

from dbkit.execution.failures import Explained

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.1  # seconds
LONGEST_PAUSE = 10.0


class Patience:
    """What is left of `seconds` (`MIGRATION_WAIT`): only waiting uses it up, not work."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.waited = 0.0
        self._said = ""

    async def pause(
        self, tries: int, reason: str, then: str = "", *, longest: float = LONGEST_PAUSE
    ) -> None:
        """Sleep before the next try, longer each time; say why and what follows, once for each.

        Half of the pause is chance, so that instances that began together do not stay together.

        Raises:
            Explained: the time is used up.
        """
        left = self.seconds - self.waited
        if left <= 0:
            raise Explained(f"gave up after {self.seconds:g} s (MIGRATION_WAIT): {reason}")
        if reason + then != self._said:
            log.warning("%s%s", reason, then)
            self._said = reason + then
        pause = min(longest, FIRST_PAUSE * 2 ** min(tries, 10))
        pause = min(left, random.uniform(pause / 2, pause))  # noqa: S311 - no secret depends on it
        begun = monotonic()
        await asyncio.sleep(pause)
        self.spend(monotonic() - begun)

    def spend(self, seconds: float) -> None:
        """Count what was waited elsewhere."""
        self.waited += seconds
