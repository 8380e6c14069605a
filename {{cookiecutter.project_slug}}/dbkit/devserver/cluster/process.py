"""The server's process, found by the pid file in its data directory, and stopped.

`pg_ctl status` and `pg_ctl stop` do not serve, since they believe the number in the pid file:

- After a crash the number may belong to another process, which `pg_ctl stop` would interrupt.
- A killed server of a container without an init stays a zombie, which they take for a server.
- They need programs of the data's version, which an upgrade of the machine may have removed.
"""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from dbkit.devserver.errors import DevServerError

STOP_TIMEOUT = 60  # seconds


def find_server(data: Path) -> int | None:
    """Return the process that serves `data`, None if there is none.

    A pid file that a killed server left is removed: PostgreSQL would refuse to start if its
    number belongs to another process by now.
    """
    pid_file = data / "postmaster.pid"
    try:
        first = pid_file.read_text(errors="replace").partition("\n")[0]
    except FileNotFoundError:
        return None
    pid = int(first) if first.isdecimal() else 0
    if pid > 0 and _is_alive(pid) and _serves(pid, data):
        return pid
    pid_file.unlink(missing_ok=True)
    return None


def read_port(data: Path) -> int | None:
    """Return the port that the pid file names."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    return int(lines[3]) if len(lines) > 3 and lines[3].isdecimal() else None


def stop_server(pid: int) -> None:
    """Stop the server in its fast mode: it closes connections and writes the data.

    Raises:
        DevServerError: it still runs after a minute.
    """
    os.kill(pid, signal.SIGINT)  # https://www.postgresql.org/docs/current/server-shutdown.html
    deadline = time.monotonic() + STOP_TIMEOUT
    while _is_alive(pid):
        if time.monotonic() > deadline:
            raise DevServerError(f"the server (process {pid}) does not stop")
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not re.search(r"\) Z", _read_file(Path(f"/proc/{pid}/stat")))  # Z: a zombie


def _serves(pid: int, data: Path) -> bool:
    """Tell whether the process is a PostgreSQL server, and not one of another directory."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)  # true of a moved project, too
    except OSError:
        pass
    command = _read_file(Path(f"/proc/{pid}/cmdline")) or _ask_ps(pid)
    return bool(re.match(r"\S*(postgres|postmaster)\b", command))


def _read_file(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _ask_ps(pid: int) -> str:
    """Return the command line of a process of macOS, which has no /proc."""
    try:
        result = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except OSError:
        return "postgres"  # nothing can tell here; PostgreSQL itself refuses a second server
    return result.stdout
