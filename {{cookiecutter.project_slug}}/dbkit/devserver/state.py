"""The folder `.database/`: the secret behind the project's mark, and the state of its server."""

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
from dbkit.connection import DatabaseURL
from dbkit.connection.admin import ADMIN_PASSWORD, as_admin
from dbkit.connection.mark import SECRET, STATE_FOLDER
from dbkit.devserver.errors import DevServerError

STATE_FILE = STATE_FOLDER / "server.json"
# For a server whose account cannot work in the project. It outlives a restart, unlike /tmp.
LASTING = Path("/var/tmp")  # noqa: S108 - the folder's name cannot be guessed


@dataclass
class State:
    """What a later run has to know. A lost state is found again: nothing in it is precious."""

    provider: str | None = None  # docker, system or wheel; None before the first start
    bindir: str | None = None  # `make db-shell` finds psql there
    outside: str | None = None  # the server's folder, if it is not `.database/`
    project: str | None = None  # the project's path when the state was saved

    @property
    def server_folder(self) -> Path:
        """The folder that holds the data directory, the log and the wheel."""
        return Path(self.outside or STATE_FOLDER)

    @property
    def data_directory(self) -> Path:
        """PostgreSQL's data directory, whether it exists or not."""
        return self.server_folder / "data"

    def save(self) -> None:
        """Write the state, whole or not at all."""
        self.project = str(PROJECT)
        unfinished = STATE_FILE.with_suffix(".new")
        unfinished.write_text(json.dumps(vars(self), indent=2) + "\n", encoding="utf-8")
        unfinished.replace(STATE_FILE)


def read_state() -> State:
    """Return the state as last saved; a lost one is completed with what can be found."""
    try:
        content: Any = json.loads(STATE_FILE.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        content = {}
    known = vars(State())
    content = content if isinstance(content, dict) else {}
    state = State(**{k: v for k, v in content.items() if k in known and isinstance(v, str)})
    if state.outside is None and SECRET.exists() and outside_folder().is_dir():
        state.outside = str(outside_folder())
    return state


def project_id() -> str:
    """Return what tells this project from others of its name, wherever it moves. No secret."""
    return hashlib.sha256(SECRET.read_bytes()).hexdigest()[:16]


def outside_folder() -> Path:
    """Return the server's folder outside the project: nobody can guess its name and take it."""
    return LASTING / f"database-{project_id()}"


@contextmanager
def lock_state() -> Iterator[None]:
    """Make the state folder, and let a second db-up or db-down of this project wait."""
    STATE_FOLDER.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        STATE_FOLDER.chmod(0o711)  # the account of the server has to get through
    elif STATE_FOLDER.stat().st_uid == os.geteuid():
        STATE_FOLDER.chmod(0o700)
    (STATE_FOLDER / ".gitignore").write_text("*\n", encoding="utf-8")
    with (STATE_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def claim_state() -> State:
    """Return the state; make the secret, if there is none.

    A copy of a project that was made with this folder becomes a project of its own: it gets
    another secret, and what lies outside the folder remains the original's.
    """
    state = read_state()
    if _is_copy(state):
        SECRET.unlink()
        provider = None if state.provider == "docker" else state.provider
        state = State(provider=provider, bindir=state.bindir)
    _write_secret(SECRET)
    return state


def claim_admin(database: DatabaseURL) -> DatabaseURL:
    """Return `database` with the superuser's login; make its password, if there is none."""
    _write_secret(ADMIN_PASSWORD)
    admin = as_admin(database)
    if admin is None:
        raise DevServerError(f"{ADMIN_PASSWORD} cannot be read: it is somebody else's")
    return admin


def _write_secret(path: Path) -> None:
    if not path.exists() or not path.stat().st_size:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))


def _is_copy(state: State) -> bool:
    """Tell whether the project that saved the state is still in its place, with this secret."""
    if state.project is None or state.project == str(PROJECT):
        return False
    original = Path(state.project) / SECRET.relative_to(PROJECT)
    try:
        return original.read_bytes() == SECRET.read_bytes()
    except OSError:  # the project was moved, not copied
        return False
