"""The server of `compose.yaml`, where a Docker engine answers."""

import os
import re
import shutil
import subprocess

from dbkit import PROJECT
from dbkit.connection.url import DatabaseURL
from dbkit.devserver import Failure, folder

PATIENCE = 10  # seconds for an engine to answer; one that sleeps may take a few
# Variables of one's own that would lead Compose elsewhere.
NOT_OURS = ("COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES")


def engine_answers() -> bool:
    """Whether there is Docker, its Compose, and an engine that runs."""
    if shutil.which("docker") is None:
        return False
    try:
        for question in (["compose", "version"], ["info"]):
            if _docker(*question, timeout=PATIENCE).returncode != 0:
                return False
    except (OSError, subprocess.TimeoutExpired):
        return False
    return True


def up(database: DatabaseURL, mark: str) -> None:
    """Start the service `database` and wait until it is healthy. Fetches its image once.

    Raises:
        Failure: what Compose says.
    """
    url = database.url
    values = {
        # In the environment, since everybody can read the arguments of a process.
        "POSTGRES_USER": str(url.username),
        "POSTGRES_PASSWORD": str(url.password),
        "POSTGRES_DB": database.name,
        "DATABASE_PORT": str(url.port),
        "DATABASE_MARK": mark,
    }
    said = _compose("up", "--wait", "--wait-timeout", "60", "--detach", "database", **values)
    if said.returncode != 0:
        raise Failure(
            f"docker compose: {_last_words(said)} "
            "(DB_SERVER=system and DB_SERVER=wheel do without Docker)"
        )


def published_port() -> int | None:
    """The port of this project's container, None if it does not run."""
    said = _compose("port", "database", "5432")
    port = said.stdout.strip().rpartition(":")[2]
    return int(port) if said.returncode == 0 and port.isdecimal() else None


def stop() -> bool:
    """Stop the container, keep its volume. Returns whether it ran.

    Raises:
        Failure: what Compose says.
    """
    if not engine_answers() or published_port() is None:
        return False
    said = _compose("stop", "database")
    if said.returncode != 0:
        raise Failure(f"docker compose: {_last_words(said)}")
    return True


def _last_words(said: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in said.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def _compose(*arguments: str, **values: str) -> "subprocess.CompletedProcess[str]":
    required = dict.fromkeys(("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"), "unused")
    return _docker("compose", *arguments, values=required | values)


def _docker(
    *arguments: str, values: dict[str, str] | None = None, timeout: float | None = None
) -> "subprocess.CompletedProcess[str]":
    own = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    ours = {
        # Two projects of one name get two containers and two volumes; a moved one keeps its own.
        "COMPOSE_PROJECT_NAME": f"{_name()}-{folder.project_id()}",
        # .env is the application's: Compose would read `$` in it in its own way.
        "COMPOSE_DISABLE_ENV_FILE": "1",
    }
    return subprocess.run(
        ["docker", *arguments],
        cwd=PROJECT,
        env=own | ours | (values or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def _name() -> str:
    found = re.search(
        r'^name: *"?([a-z0-9_-]+)', (PROJECT / "compose.yaml").read_text(), re.MULTILINE
    )
    return found[1] if found else "service"
