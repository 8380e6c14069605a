"""The server process of a data folder, found by the pid file that PostgreSQL keeps there."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from dbkit.devserver import Failure

PATIENCE = 60  # seconds for a server to stop


def find(data: Path) -> int | None:
    """The process that serves `data`, None if there is none.

    A pid file outlives a server that was killed, and its number then soon belongs to some other
    process, with which PostgreSQL would refuse to start: such a file is removed.
    """
    pid_file = data / "postmaster.pid"
    try:
        first = pid_file.read_text(errors="replace").partition("\n")[0]
    except FileNotFoundError:
        return None
    pid = int(first) if first.isdecimal() else 0
    if pid > 0 and _exists(pid) and _serves(pid, data):
        return pid
    pid_file.unlink(missing_ok=True)
    return None


def port(data: Path) -> int | None:
    """The port that the pid file names."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    return int(lines[3]) if len(lines) > 3 and lines[3].isdecimal() else None


def stop(pid: int) -> None:
    """Stop the server: connections are closed, the data is written.

    Raises:
        Failure: it is still there after a minute.
    """
    os.kill(pid, signal.SIGINT)  # https://www.postgresql.org/docs/current/server-shutdown.html
    deadline = time.monotonic() + PATIENCE
    while _exists(pid):
        if time.monotonic() > deadline:
            raise Failure(f"the server (process {pid}) does not stop")
        time.sleep(0.02)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A container without an init never buries its dead.
    return not re.search(r"\) Z", _read(Path(f"/proc/{pid}/stat")))


def _serves(pid: int, data: Path) -> bool:
    """Whether this is a server, and not one of another folder as far as anybody can tell."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)  # survives a moved project
    except OSError:
        pass
    command = _read(Path(f"/proc/{pid}/cmdline")) or _ps(pid)
    return bool(re.match(r"\S*(postgres|postmaster)\b", command))


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _ps(pid: int) -> str:
    """For macOS, which has no /proc."""
    try:
        said = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except OSError:
        return "postgres"  # nobody can tell: PostgreSQL will
    return said.stdout
