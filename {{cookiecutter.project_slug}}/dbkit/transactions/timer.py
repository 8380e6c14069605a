"""Measures how long a revision's transactions last: a transaction holds its locks until it ends."""

from time import monotonic


class TransactionTimer:
    """Times one transaction after the other, in seconds."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._begun: float | None = monotonic()

    def begin(self) -> None:
        """Start timing: what is locked from now on is held until `end`."""
        self._begun = monotonic()

    def end(self) -> None:
        """Stop timing: the transaction is committed."""
        self._longest, self._begun = self.longest, None

    def restart(self) -> None:
        """Forget what was measured, for another revision or a retry."""
        self._longest, self._begun = 0.0, monotonic()

    @property
    def current(self) -> float:
        """The age of the open transaction; 0 if none is open."""
        return 0.0 if self._begun is None else monotonic() - self._begun

    @property
    def longest(self) -> float:
        """The longest transaction since `restart`, the open one included."""
        return max(self._longest, self.current)
