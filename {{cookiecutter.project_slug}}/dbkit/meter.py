"""How far long work is: a bar on a terminal, a plain line now and then elsewhere."""

import logging
import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Any

MANY = 20  # revisions or tables, from which on somebody may wonder
EVERY = 50  # revisions for a line, where there is no terminal

log = logging.getLogger("alembic.progress")  # Alembic's level, whatever the migrator's is


class Meter:
    """Counts the revisions of a run: `with Meter(title, total) as meter: meter.advance()`."""

    def __init__(self, title: str, total: int) -> None:
        self.title = title
        self.total = total
        self._done = 0
        self._bar: Any = None
        self._stack = ExitStack()

    def __enter__(self) -> "Meter":
        if self.total >= MANY and sys.stderr.isatty():
            from tqdm import tqdm  # only whoever looks at it waits for this import
            from tqdm.contrib.logging import logging_redirect_tqdm

            # Lines that are logged meanwhile stand above the bar.
            self._stack.enter_context(logging_redirect_tqdm())
            bar = tqdm(desc=self.title, total=self.total, unit="", leave=False)
            self._bar = self._stack.enter_context(bar)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def advance(self) -> None:
        """Note that one revision more is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.update()
        elif self.total > EVERY and self._done % EVERY == 0:
            log.info("%s: %s of %s", self.title, self._done, self.total)

    def retreat(self) -> None:
        """Note that one revision was rolled back, and is to be done again."""
        self._done -= 1
        if self._bar is not None:
            self._bar.update(-1)


def announce(line: str, number: int) -> None:
    """Say that something long begins, if `number` is large: `line` has a `{}` for it."""
    if number >= MANY:
        log.info(line.format(number))


def log_to_stderr() -> None:
    """Show the lines in a command that configures no logging: stdout is for its result."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
