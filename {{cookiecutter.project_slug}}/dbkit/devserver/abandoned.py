"""Temporary servers whose command was killed: a later one stops them and removes their folders.

Who has a folder holds a lock on a file in it, which the kernel releases when the process ends,
however it ends. https://man7.org/linux/man-pages/man2/flock.2.html
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from dbkit.devserver.cluster import Account, find_server, stop_server
from dbkit.devserver.errors import DevServerError

PREFIX = "throwaway-server-"
LOCK, DATA = "lock", "data"


@contextmanager
def temporary_folder(account: Account) -> Iterator[Path]:
    """A folder for the data of a server, which is gone afterwards; removes abandoned ones before.

    Args:
        account: it runs the server.
    """
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, DevServerError):  # it can wait for the next one
            _remove_abandoned(folder, account)
    with TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            account.take_ownership(folder)
            yield folder / DATA


def _remove_abandoned(folder: Path, account: Account) -> None:
    """Raises `BlockingIOError`: somebody uses it. Others' folders are left alone."""
    owner = os.geteuid() if account.uid is None else account.uid
    if folder.is_symlink() or folder.stat().st_uid != owner:
        return
    with (folder / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        pid = find_server(folder / DATA)
        if pid is not None:
            stop_server(pid)
        shutil.rmtree(folder, ignore_errors=True)
