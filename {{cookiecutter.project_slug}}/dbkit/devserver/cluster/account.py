"""The account that runs the server: one's own or, since PostgreSQL refuses root, another."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dbkit.devserver.errors import DevServerError

USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The user and group of the server's processes; `uid` None means one's own."""

    uid: int | None = None
    gid: int | None = None

    def run_program(
        self, *arguments: str | Path, folder: Path = Path("/")
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program in `folder` to its end, in English, without one's own PG* variables."""
        options: dict[str, Any] = {}
        if self.uid is not None:
            options = {"user": self.uid, "group": self.gid, "extra_groups": []}
        # PGPORT, PGDATA and their like are instructions to the programs that run here.
        variables = {name: v for name, v in os.environ.items() if not name.startswith("PG")}
        return subprocess.run(
            arguments,
            cwd=folder,
            env=variables | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            **options,
        )

    def take_ownership(self, path: Path) -> None:
        """Make `path` the account's."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_work_in(self, folder: Path) -> bool:
        """Tell whether the account can write to a folder of its own inside `folder`."""
        if self.uid is None:
            return True
        try:
            with TemporaryDirectory(dir=folder) as inside:
                self.take_ownership(Path(inside))
                return self.run_program("test", "-w", inside).returncode == 0
        except OSError:  # some mounts have no owners
            return False


def choose_account(data: Path) -> Account:
    """Return the account for the server on `data`, which need not exist yet.

    Raises:
        DevServerError: root runs this, and the machine has no other suitable user.
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
    raise DevServerError(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'"
    )
