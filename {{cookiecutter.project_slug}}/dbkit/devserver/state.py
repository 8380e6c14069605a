"""`.database/`, this project's memory of its server: the secret behind the mark, and a state."""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbkit import PROJECT
from dbkit.connection.mark import HOME, SECRET

STATE = HOME / "server.json"
# For a server whose user cannot work in the project. Kept over a restart, unlike /tmp.
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - outlives a restart


@dataclass
class State:
    """What a later run has to know. Guessed again where it is lost: none of it is precious."""

    way: str | None = None  # docker, system or wheel; None before the first start
    bindir: str | None = None  # `make db-shell` finds psql there
    home: str | None = None  # where the data is, if not in `.database/`
    project: str | None = None  # where this project was when it was written

    def save(self) -> None:
        """Write it, whole or not at all."""
        self.project = str(PROJECT)
        written = STATE.with_suffix(".new")
        written.write_text(json.dumps(vars(self), indent=2) + "\n", encoding="utf-8")
        written.replace(STATE)


def read() -> State:
    """The state as last saved, and what can be known without it."""
    try:
        content: Any = json.loads(STATE.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        content = {}
    known = vars(State())
    content = content if isinstance(content, dict) else {}
    state = State(**{k: v for k, v in content.items() if k in known and isinstance(v, str)})
    if state.home is None and SECRET.exists() and elsewhere().is_dir():
        state.home = str(elsewhere())
    return state


def project_id() -> str:
    """Tells this project from others of its name, wherever it moves. May be seen by all."""
    return hashlib.sha256(SECRET.read_bytes()).hexdigest()[:16]


def elsewhere() -> Path:
    """The data's home outside the project: a name that nobody can guess and take first."""
    return ELSEWHERE / f"database-{project_id()}"


@contextmanager
def alone() -> Iterator[None]:
    """Make the folder; keep a second db-up or db-down of this project waiting."""
    HOME.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        HOME.chmod(0o711)  # root's umask may be 077, and the server's user has to get through
    (HOME / ".gitignore").write_text("*\n", encoding="utf-8")
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def claim() -> State:
    """Make the secret, if there is none, and return the state.

    A copy of a project, made with this folder, becomes a project of its own: it gets another
    secret, and what lies outside the folder stays the original's.
    """
    state = read()
    if _is_copy(state):
        SECRET.unlink()
        state = State(way=None if state.way == "docker" else state.way, bindir=state.bindir)
    if not SECRET.exists() or not SECRET.stat().st_size:
        descriptor = os.open(SECRET, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return state


def _is_copy(state: State) -> bool:
    if state.project is None or state.project == str(PROJECT):
        return False
    try:
        return (Path(state.project) / SECRET.relative_to(PROJECT)).read_bytes() == (
            SECRET.read_bytes()
        )
    except OSError:  # moved, not copied
        return False
