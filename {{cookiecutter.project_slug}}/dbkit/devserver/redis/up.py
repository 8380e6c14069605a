"""`make db-up`: from any state of things to a Redis that answers and is this project's."""

import time
from pathlib import Path

from dbkit.devserver.errors import DevServerError, NothingToDo
from dbkit.devserver.providers import PROVIDERS, docker, forced_provider
from dbkit.devserver.redis.address import (
    Address,
    find_address,
    with_free_port,
    with_own_password,
)
from dbkit.devserver.redis.programs import find_program
from dbkit.devserver.redis.server import Running, find_own, identify, start, stop
from dbkit.devserver.start import ATTEMPTS, FORWARDING, choose_location
from dbkit.devserver.state import State, claim_state, lock_state

SERVICE, INSIDE = "redis", "6379"  # in compose.yaml


def up() -> str:
    """Start Redis, if it does not run; return the line to print.

    Raises:
        NothingToDo: there is no server to start.
        DevServerError: no server answers that is this project's.
    """
    address = find_address()
    with lock_state():
        state = claim_state()
        address = with_own_password(address)
        own = find_own(state.server_folder / SERVICE)
        if own is not None and _is_at(own, address):
            running = own
        else:
            if own is not None:
                stop(own)  # it has another port, or another password
            running = _start(address, state)
    return (
        f"{running.name}, {PROVIDERS[running.provider]}, answers on {running.address} "
        "(what is in it is gone when it stops)"
    )


def _is_at(running: Running, address: Address) -> bool:
    return (running.address.port, running.address.password) == (address.port, address.password)


def _start(address: Address, state: State) -> Running:
    in_docker = forced_provider() in (None, "docker") and docker.engine_answers()
    if forced_provider() == "docker" and not in_docker:
        raise DevServerError("DB_SERVER=docker, but no Docker engine with Compose answers")
    if in_docker and docker.find_published_port(SERVICE, INSIDE) == address.port:
        return _start_container(address)  # which runs; it may have another password
    _leave_alone(address)
    if in_docker:
        return _start_container(with_free_port(address))
    return _start_program(address, state)


def _leave_alone(address: Address) -> None:
    """Start nothing beside a foreign server that takes the password in `.env`: that is meant."""
    running = identify(address)
    if running is None or forced_provider() or _is_made_by_db_up(running.folder):
        return
    raise NothingToDo(
        f"{running.name} on {address} takes the password in .env, and is not of db-up's making: "
        "nothing started"
    )


def _is_made_by_db_up(folder: Path) -> bool:
    """Tell whether a project, of which this one may be a copy, has its Redis in `folder`."""
    return folder.name == SERVICE and folder.parent.name.startswith((".database", "database-"))


def _start_container(address: Address) -> Running:
    values = {"REDIS_PASSWORD": address.password, "REDIS_PORT": str(address.port)}
    docker.start_service(SERVICE, **values)
    deadline = time.monotonic() + FORWARDING
    while time.monotonic() < deadline:
        running = identify(address, "docker")
        if running is not None:
            return running
        time.sleep(0.1)
    raise DevServerError(f"Redis in Docker does not answer on {address}")


def _start_program(address: Address, state: State) -> Running:
    account = choose_location(state, SERVICE)
    state.save()
    program = find_program(state.server_folder, account)
    for attempt in range(ATTEMPTS):
        address = with_free_port(address)
        try:
            return start(state.server_folder / SERVICE, program, account, address)
        except DevServerError as error:  # somebody else may have taken the port in between
            if "in use" not in str(error) or attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError
