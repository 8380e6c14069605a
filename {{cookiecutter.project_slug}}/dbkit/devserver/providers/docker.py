"""The servers of `compose.yaml`, where a Docker engine answers."""

import os
import re
import shutil
import subprocess

from dbkit import PROJECT
from dbkit.connection import DatabaseURL
from dbkit.devserver.errors import DevServerError
from dbkit.devserver.state import project_id

ENGINE_TIMEOUT = 10  # seconds; an engine that sleeps takes a few to answer
# A developer's own variables that would make Compose read other files.
FOREIGN_VARIABLES = ("COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES")


def engine_answers() -> bool:
    """Tell whether Docker and Compose are installed and the engine runs."""
    if shutil.which("docker") is None:
        return False
    try:
        for question in (["compose", "version"], ["info"]):
            if _run_docker(*question, timeout=ENGINE_TIMEOUT).returncode != 0:
                return False
    except (OSError, subprocess.TimeoutExpired):
        return False
    return True


def start_container(admin: DatabaseURL, mark: str) -> None:
    """Start the service `database` and wait until it is healthy; fetch its image once.

    Args:
        admin: the login of the superuser that a new volume gets, and the port to publish.
        mark: the server's `cluster_name`.

    Raises:
        DevServerError: the reason that Compose gives.
    """
    url = admin.url
    values = {
        # These go into the environment: everybody can read the arguments of a process.
        "POSTGRES_USER": str(url.username),
        "POSTGRES_PASSWORD": str(url.password),
        "POSTGRES_DB": "postgres",  # the image would name one after the superuser
        "DATABASE_PORT": str(url.port),
        "DATABASE_MARK": mark,
    }
    start_service("database", **values)


def start_service(service: str, **values: str) -> None:
    """Start a service of `compose.yaml` and wait until it is healthy; fetch its image once.

    Args:
        service: its name there.
        values: variables for its container.

    Raises:
        DevServerError: the reason that Compose gives.
    """
    result = _run_compose("up", "--wait", "--wait-timeout", "60", "--detach", service, **values)
    if result.returncode != 0:
        raise DevServerError(
            f"docker compose: {_last_line(result)} "
            "(DB_SERVER=system and DB_SERVER=wheel do without Docker)"
        )


def find_published_port(service: str = "database", inside: str = "5432") -> int | None:
    """Return the port of a container of this project, None if the container does not run.

    Args:
        inside: the port inside the container.
    """
    result = _run_compose("port", service, inside)
    port = result.stdout.strip().rpartition(":")[2]
    return int(port) if result.returncode == 0 and port.isdecimal() else None


def commands_to_remove() -> str:
    """Return what somebody types to remove the container and its data, as Compose names them."""
    project = _compose_project()
    return f"'docker rm --force {project}-database-1', 'docker volume rm {project}_database'"


def stop_container() -> bool:
    """Stop the container, keep its volume; return whether the container ran.

    Raises:
        DevServerError: the reason that Compose gives.
    """
    if not engine_answers() or find_published_port() is None:
        return False
    stop_service("database")
    return True


def stop_service(service: str) -> None:
    """Stop a container. Raises `DevServerError`: the reason that Compose gives."""
    result = _run_compose("stop", service)
    if result.returncode != 0:
        raise DevServerError(f"docker compose: {_last_line(result)}")


def _last_line(result: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def _run_compose(*arguments: str, **values: str) -> "subprocess.CompletedProcess[str]":
    required = dict.fromkeys(("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"), "unused")
    return _run_docker("compose", *arguments, values=required | values)


def _run_docker(
    *arguments: str, values: dict[str, str] | None = None, timeout: float | None = None
) -> "subprocess.CompletedProcess[str]":
    own = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    project = {
        # Two projects of one name get two containers and volumes; a moved project keeps its own.
        "COMPOSE_PROJECT_NAME": _compose_project(),
        # `.env` is the application's; Compose would expand a `$` in it.
        "COMPOSE_DISABLE_ENV_FILE": "1",
    }
    return subprocess.run(
        ["docker", *arguments],
        cwd=PROJECT,
        env=own | project | (values or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def _compose_project() -> str:
    found = re.search(
        r'^name: *"?([a-z0-9_-]+)', (PROJECT / "compose.yaml").read_text(), re.MULTILINE
    )
    return f"{found[1] if found else 'service'}-{project_id()}"
