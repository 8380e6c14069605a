"""Get in: identify the server at an address, and let the role of `DATABASE_URL` into our own."""

from dataclasses import replace

from dbkit.connection import DatabaseURL
from dbkit.connection.admin import as_admin
from dbkit.devserver.cluster import (
    NoAnswer,
    RunningServer,
    find_server,
    identify_server,
    identify_slow_server,
    read_port,
    set_login,
)
from dbkit.devserver.env_file import read_published_password
from dbkit.devserver.providers import docker
from dbkit.devserver.state import State


def identify(database: DatabaseURL, state: State) -> RunningServer | NoAnswer:
    """Return what answers at the address of `database`; wait for this project's own server."""
    answer = identify_server(database)
    if isinstance(answer, NoAnswer) and answer.is_slow and runs_there(database, state):
        answer = identify_slow_server(database)
    if isinstance(answer, NoAnswer) and answer.login_refused and runs_there(database, state):
        answer = _let_in(database) or answer
    return answer


def runs_there(database: DatabaseURL, state: State) -> bool:
    """Tell whether this project's own server runs at the port of `database`.

    Only then it is sure that no other server is given the superuser's password.
    """
    data = state.data_directory
    if find_server(data) is not None:
        return read_port(data) == database.url.port
    return state.provider == "docker" and docker.find_published_port() == database.url.port


def _let_in(database: DatabaseURL) -> RunningServer | NoAnswer | None:
    """Create the role of `database` or change its password: who has `.env` has the data, too.

    Returns:
        The answer to that login, None where nobody here knows a superuser's password.
    """
    for admin in (as_admin(database), _with_published_password(database)):
        if admin and isinstance(identify_server(admin.named("postgres")), RunningServer):
            set_login(database, admin)
            return identify_server(database)
    return None


def _with_published_password(database: DatabaseURL) -> DatabaseURL | None:
    """Return the login that an older db-up made for a `.env` that was a copy of `.env.example`."""
    password = read_published_password()
    if password is None:
        return None
    return replace(database, url=database.url.set(password=password))
