"""Who runs the server: ourselves or, since PostgreSQL refuses root, somebody without rights."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dbkit.devserver import Failure

USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The user of the server's processes; `uid` None: the one who runs this."""

    uid: int | None = None
    gid: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments of `subprocess.Popen`."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def run(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, in English, without PostgreSQL's variables of one's own."""
        return subprocess.run(
            arguments,
            cwd="/",
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            **self.options,
        )

    def give(self, path: Path) -> None:
        """Make `path` the account's."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_work_in(self, folder: Path) -> bool:
        """Whether a folder of the account's inside `folder` would be of use to it."""
        if self.uid is None:
            return True
        try:
            with TemporaryDirectory(dir=folder) as inside:
                self.give(Path(inside))
                return self.run("test", "-w", inside).returncode == 0
        except OSError:  # some mounts know no owners
            return False


def environment() -> dict[str, str]:
    """The environment without `PGPORT` and its like, which the programs below obey."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return own | {"LC_ALL": "C"}


def account_for(data: Path) -> Account:
    """The account for the server on `data`, which need not exist yet.

    Raises:
        Failure: we are root, and there is no other user.
    """
    if os.geteuid() != 0:
        return Account()
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    for name in USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(user.pw_uid, user.pw_gid)
    raise Failure("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'")
