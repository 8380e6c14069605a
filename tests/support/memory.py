"""Temporary folders in memory: tests make and remove so many files that a disk takes half of their time."""

import os
import re
import sys
import tempfile
from pathlib import Path

FOLDER = Path("/dev/shm")  # noqa: S108 - Linux has it for every user
ENOUGH = 8 << 30  # bytes; a run takes less than half of that
IN_USE = "TESTS_IN_MEMORY"


def use_memory() -> None:
    """Put the temporary files of this process, and of those that it starts, into memory.

    They stay where they are if `TMPDIR` says so, if there is too little memory, or if it runs no programs,
    as in most containers.
    """
    if sys.platform != "linux" or "TMPDIR" in os.environ or not os.access(FOLDER, os.W_OK):
        return
    folder = os.statvfs(FOLDER)
    found = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text("ascii"), re.MULTILINE)
    memory = int(found[1]) << 10 if found else 0
    if min(folder.f_bavail * folder.f_frsize, memory) < ENOUGH or folder.f_flag & os.ST_NOEXEC:
        return
    os.environ |= {"TMPDIR": str(FOLDER), IN_USE: "yes"}
    tempfile.tempdir = None  # it may have been looked up already


def is_used() -> bool:
    """Whether temporary files are in memory, where databases are to be dropped that nobody needs any more."""
    return IN_USE in os.environ


def leave_memory() -> None:
    """Put what comes from now on where it would be without `use_memory`: measured commits need a disk."""
    if is_used():
        del os.environ["TMPDIR"], os.environ[IN_USE]
        tempfile.tempdir = None
