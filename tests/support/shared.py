"""What takes long to make and is only looked at: once for all processes of a run."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first process makes which asks for it.

    Args:
        make: is given the path of a folder to make, which has another name afterwards.
    """
    folder = Path(os.environ["TESTS_SHARED"]) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            make(unfinished)
            unfinished.rename(folder)
    return folder
