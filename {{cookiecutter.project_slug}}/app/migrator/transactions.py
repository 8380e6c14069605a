"""How long the transactions of a revision last: for so long they hold their locks."""

from time import monotonic


class Transactions:
    """One after the other; all times are in seconds."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._begun: float | None = monotonic()

    def begin(self) -> None:
        """Whatever is locked from now on is held until the end."""
        self._begun = monotonic()

    def end(self) -> None:
        """It is committed."""
        self._longest, self._begun = self.longest, None

    def clear(self) -> None:
        """Begin anew, for another revision or another attempt."""
        self._longest, self._begun = 0.0, monotonic()

    @property
    def current(self) -> float:
        """Of the one that is open."""
        return 0.0 if self._begun is None else monotonic() - self._begun

    @property
    def longest(self) -> float:
        """Of all since the last `clear`."""
        return max(self._longest, self.current)
