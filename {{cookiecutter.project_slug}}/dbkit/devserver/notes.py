"""What `make db-up` says about logins: those that are refused, and those that may do too much."""

from collections.abc import Iterator

from dbkit.connection import DatabaseURL
from dbkit.connection.development import ENV_FILE
from dbkit.devserver.cluster import NoAnswer, RunningServer
from dbkit.devserver.errors import DevServerError
from dbkit.devserver.providers import docker
from dbkit.devserver.state import State


def warnings(database: DatabaseURL, state: State, server: RunningServer) -> Iterator[str]:
    """Yield a line for each thing that works, and that somebody should know."""
    user = database.url.username
    if server.is_superuser:
        yield (
            f"Note: {user} is a superuser of this server, as an older db-up made it; a role that "
            f"is none comes with new data: save what you need, {_begin_anew(state)}"
        )
    elif server.owner is not None:
        yield (
            f"Note: the database {database.name} belongs to {server.owner}, and {user} may change "
            f"nothing in it: name {server.owner} in .env, or type REASSIGN OWNED BY "
            f"{server.owner} TO {user}; in 'make db-shell ADMIN=1'"
        )
    if ENV_FILE.stat().st_mode & 0o044:
        yield "Note: other users can read the password in .env: 'chmod 600 .env'"


def not_stopped(database: DatabaseURL, state: State, answer: NoAnswer) -> DevServerError:
    """Say why a server goes on: it may be slow, or `.env` wrong, and others are connected."""
    if answer.login_refused:
        return login_refused(database, state)
    return DevServerError(
        f"this project's server runs, but on {database.server}: {answer.reason.partition(';')[0]} "
        "(if it stays so: 'make db-down', then 'make db-up')"
    )


def login_refused(database: DatabaseURL, state: State) -> DevServerError:
    """Say what to do about data of an older db-up, whose only login nobody here knows."""
    return DevServerError(
        f"this project's server on {database.server} refuses the user or the password in .env: "
        "it keeps those that .env had when its data was made. Write them there again, or begin "
        f"with an empty database: {_begin_anew(state)}"
    )


def _begin_anew(state: State) -> str:
    if state.provider == "docker":
        return f"{docker.commands_to_remove()}, 'make db-up migrate'"
    return f"'make db-down', move {state.data_directory} away, 'make db-up migrate'"
