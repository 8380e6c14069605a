"""Start a server in one of the three ways, on a port that nobody else has."""

import time

from dbkit.connection.url import DatabaseURL
from dbkit.devserver import Failure, docker, home, native, port, probe, target, ways
from dbkit.devserver.folder import State

ATTEMPTS = 3  # at a port that seemed free
FORWARDING = 10  # seconds


def by_docker(database: DatabaseURL, state: State, mark: str) -> DatabaseURL:
    """Start the container; returns the database where it now is. Raises `Failure`."""
    if docker.published_port() != database.url.port:
        database = _on_free_port(database)
    if state.way != "docker":
        print("Starting PostgreSQL in Docker, which fetches its image once", flush=True)
    docker.up(database, mark)
    _wait_for_port(database)
    state.way, state.bindir = "docker", None
    state.save()
    return database


def natively(database: DatabaseURL, state: State, mark: str) -> DatabaseURL:
    """Start a process of our own; returns the database where it now is. Raises `Failure`."""
    account = home.choose(state)
    data = home.data_folder(state)
    binaries = ways.find_binaries(data.parent, state, account, home.major_version(data))
    home.initialise(data, binaries, account, database)
    state.way, state.bindir = binaries.way, str(binaries.bindir)
    state.save()
    for _ in range(ATTEMPTS):
        database = _on_free_port(database)
        try:
            native.start(data, binaries, account, database, mark)
        except native.PortTaken:
            continue
        return database
    raise Failure(f"port {database.url.port} is in use: write another into DATABASE_URL in .env")


def _wait_for_port(database: DatabaseURL) -> None:
    """The container is healthy, but Docker may take a moment to forward its port."""
    deadline = time.monotonic() + FORWARDING
    while time.monotonic() < deadline:
        answer = probe.ask(database)
        if isinstance(answer, probe.Running) or answer.refused_login:
            return
        time.sleep(0.1)


def _on_free_port(database: DatabaseURL) -> DatabaseURL:
    host, number = str(database.url.host), database.url.port or 0
    if not port.in_use(host, number):
        return database
    return target.port_moved(database, port.next_free(host, number))
