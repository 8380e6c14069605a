"""Start a server with one of the providers, on a port that is free."""

import time
from pathlib import Path

from dbkit.connection import DatabaseURL
from dbkit.connection.mark import STATE_FOLDER
from dbkit.devserver.cluster import (
    Account,
    RunningServer,
    ServerExited,
    choose_account,
    create_data_directory,
    identify_server,
    port,
    read_major_version,
    start_server,
)
from dbkit.devserver.errors import DevServerError
from dbkit.devserver.providers import docker, find_programs
from dbkit.devserver.state import State, claim_admin, outside_folder
from dbkit.devserver.target import change_port

ATTEMPTS = 3  # at a port that seemed free
FORWARDING = 10  # seconds


def start_container(database: DatabaseURL, state: State, mark: str) -> DatabaseURL:
    """Start the server in Docker; return the database at its port. Raises `DevServerError`."""
    if docker.find_published_port() != database.url.port:
        database = _move_to_free_port(database)
    if state.provider != "docker":
        print("Starting PostgreSQL in Docker, which fetches its image once", flush=True)
    docker.start_container(claim_admin(database), mark)
    _wait_for_forwarding(database)
    state.provider, state.bindir = "docker", None
    state.save()
    return database


def start_programs(database: DatabaseURL, state: State, mark: str) -> DatabaseURL:
    """Start PostgreSQL's programs; return the database at its port. Raises `DevServerError`."""
    account = choose_location(state)
    data = state.data_directory
    programs = find_programs(state, account, read_major_version(data))
    if read_major_version(data) is None:
        create_data_directory(data, programs, account, claim_admin(database))
    state.provider, state.bindir = programs.provider, str(programs.bindir)
    state.save()
    for _ in range(ATTEMPTS):
        database = _move_to_free_port(database)
        try:
            start_server(data, programs, account, database, mark)
        except ServerExited:
            if not _is_port_in_use(database):
                raise
            continue  # somebody else took the port in between
        return database
    raise DevServerError(
        f"port {database.url.port} is in use: write another into DATABASE_URL in .env"
    )


def choose_location(state: State, name: str = "data") -> Account:
    """Settle the server's folder, in `state`, and return the account that runs the server.

    Args:
        name: of the server's own folder in there.
    """
    if state.outside and not Path(state.outside).is_dir():
        print(f"The data folder {state.outside} is gone; a new, empty one is made", flush=True)
        state.outside = None
    data = state.server_folder / name
    account = choose_account(data)
    if state.outside is None and not data.exists() and not account.can_work_in(STATE_FOLDER):
        folder = outside_folder()
        folder.mkdir(mode=0o700)
        account.take_ownership(folder)
        state.outside = str(folder)
        print(
            f"The server's user cannot work in {STATE_FOLDER}; the data goes to {folder}",
            flush=True,
        )
    return account


def _wait_for_forwarding(database: DatabaseURL) -> None:
    """Wait for Docker to forward the port, which may take a moment after the container is up."""
    deadline = time.monotonic() + FORWARDING
    while time.monotonic() < deadline:
        answer = identify_server(database)
        if isinstance(answer, RunningServer) or answer.login_refused:
            return
        time.sleep(0.1)


def _move_to_free_port(database: DatabaseURL) -> DatabaseURL:
    if not _is_port_in_use(database):
        return database
    return change_port(database, port.find_free(str(database.url.host), database.url.port or 0))


def _is_port_in_use(database: DatabaseURL) -> bool:
    return port.in_use(str(database.url.host), database.url.port or 0)
