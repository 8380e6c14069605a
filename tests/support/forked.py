"""Commands in forked processes: see `fork_server.py`, of which each process of the tests has one."""

import atexit
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO

from support.fork_client import ask, fits, receive

__all__ = ["fits", "make_environment", "run"]

# `.venv/bin/python` of a project: make calls it. What the server does not do, the real one does.
PYTHON = """\
#!/bin/sh
'''exec' {python} -ISE "$0" "$@" #'''
import os, signal, sys
sys.path.insert(0, {folder!r})
import fork_client
arguments = sys.argv[1:]
if fork_client.fits(arguments, os.environ):
    try:
        connection = fork_client.ask({address!r}, arguments, os.getcwd(), os.environ, (0, 1, 2))
    except OSError:
        connection = None
    if connection is not None:
        pid = fork_client.receive(connection)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _frame: os.kill(pid, number))
        status = fork_client.receive(connection)
        if status < 0:
            signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
        sys.exit(status)
os.execv({python!r}, [{python!r}, *arguments])
"""


@cache
def address() -> str:
    """Start the server of this process, and return the path of its socket."""
    folder = tempfile.TemporaryDirectory(prefix="fork-")  # a short path: sockets allow no long one
    path = str(Path(folder.name) / "socket")
    program = str(Path(__file__).with_name("fork_server.py"))
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    server = subprocess.Popen(
        [sys.executable, program, path],
        env=variables | {"PYTHONUTF8": "1"},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"

    def end() -> None:
        server.kill()
        server.wait()
        folder.cleanup()

    atexit.register(end)
    return path


def run(
    arguments: list[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    typed: str = "",
    timeout: float = 120,
) -> "subprocess.CompletedProcess[str]":
    """Run Python with `arguments`, as `subprocess.run` does."""
    with contextlib.ExitStack() as stack:
        files: list[IO[bytes]] = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(typed.encode())
        files[0].seek(0)
        numbers = (files[0].fileno(), files[1].fileno(), files[2].fileno())
        connection = stack.enter_context(ask(address(), arguments, str(cwd), env, numbers))
        pid = receive(connection)
        connection.settimeout(timeout)
        try:
            status = receive(connection)
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, timeout) from None
        for file in files:
            file.seek(0)
        said = [file.read().decode().replace("\r\n", "\n") for file in files[1:]]
    return subprocess.CompletedProcess([sys.executable, *arguments], status, *said)


def make_environment(path: Path) -> None:
    """Make a project's `.venv`: the environment of these tests, with a Python that asks the server."""
    programs = path / "bin"
    programs.mkdir(parents=True)
    real = Path(sys.prefix)
    for other in real.iterdir():
        if other.name != "bin":
            (path / other.name).symlink_to(other)
    for program in (real / "bin").iterdir():
        if program.name != "python":
            (programs / program.name).symlink_to(program)
    python = programs / "python"
    text = PYTHON.replace("exec' {python}", f"exec' {shlex.quote(sys.executable)}")
    values = {"python": sys.executable, "folder": str(Path(__file__).parent), "address": address()}
    for name, value in values.items():
        text = text.replace(f"{{{name}!r}}", repr(value))
    python.write_text(text, "utf-8")
    python.chmod(0o755)
