"""How tests run the commands of a project: in forked children where they can be, otherwise as processes.

The names of the kit's commands stand here and in the tests that are about them, nowhere else.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.forking import ForkServer, environment_with_client

ALEMBIC = ("-m", "alembic")
PACKAGES = ("app", "dbkit", "alembic")  # folders of a project that hold Python


def kit(command: str, *arguments: str) -> tuple[str, ...]:
    """Return Python's arguments for a command of the kit, which `make` calls by the same name."""
    return ("-m", "dbkit", command, *arguments)


@dataclass(frozen=True)
class Forking:
    """The server of this process, and the environment of test projects whose programs ask it."""

    server: ForkServer
    venv: Path


_active: list[Forking] = []


@contextmanager
def forking(environment: dict[str, str], venv: Path) -> Iterator[None]:
    """Run the commands of projects in a fork server during the with-block; `venv` is a new folder."""
    server = ForkServer(sys.executable, environment)
    try:
        _active.append(Forking(server, environment_with_client(server, venv)))
        yield
        _active.pop()
    finally:
        server.close()


def fork_server(environment: dict[str, str]) -> ForkServer | None:
    """Return the server for a command with this environment, if it may have one."""
    return _active[-1].server if _active and "REAL_PROCESSES" not in environment else None


def venv() -> Path:
    """Return the environment that a project's `.venv` is to be: with everything that a project depends on."""
    return _active[-1].venv if _active else Path(sys.prefix)


def is_python(program: str | os.PathLike[str]) -> bool:
    """Whether a program is the Python of these tests, or that of a test project."""
    return program == sys.executable or str(program).endswith("/.venv/bin/python")
