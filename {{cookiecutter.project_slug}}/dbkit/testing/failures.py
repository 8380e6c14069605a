"""A failure of what tests run on, shown by the lines that are to blame: the project's own."""

from collections.abc import Generator
from pathlib import Path
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any

import pytest

from dbkit import PROJECT
from dbkit.testing.transaction import OneConnection

KIT = PROJECT / "dbkit"


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, Any, Any]:
    """Run a test; of a session that is in the way of another, show no line of a library.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_pyfunc_call
    """
    try:
        return (yield)
    except OneConnection as error:
        raise error.with_traceback(_own_lines(error.__traceback__)) from None


def _own_lines(traceback: TracebackType | None) -> TracebackType | None:
    """Return `traceback` with the frames of the project alone, of which the test is the first."""
    own = None
    for frame, line in reversed(list(walk_tb(traceback))):
        if _is_own(frame):
            own = TracebackType(own, frame, frame.f_lasti, line)
    return own


def _is_own(frame: FrameType) -> bool:
    path = Path(frame.f_code.co_filename)
    is_installed = "site-packages" in path.parts
    return path.is_relative_to(PROJECT) and not path.is_relative_to(KIT) and not is_installed
