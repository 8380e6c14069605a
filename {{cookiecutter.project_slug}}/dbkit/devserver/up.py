"""`make db-up`: from any state of things to a server that answers and is this project's."""

import re

from dbkit.connection import DatabaseURL
from dbkit.connection.mark import SECRET, STATE_FOLDER, project_mark
from dbkit.devserver import notes
from dbkit.devserver.access import identify, runs_there
from dbkit.devserver.cluster import (
    NoAnswer,
    RunningServer,
    create_database,
    find_server,
    read_major_version,
    stop_server,
)
from dbkit.devserver.env_file import has_published_password, make_env_file
from dbkit.devserver.errors import DevServerError, NothingToDo
from dbkit.devserver.providers import PROVIDERS, complete_state, forced_provider, uses_docker
from dbkit.devserver.start import start_container, start_programs
from dbkit.devserver.state import State, claim_state, lock_state
from dbkit.devserver.target import change_password, find_development_database

ANY_MARK = re.compile(r"-[0-9a-f]{32}$")


def up() -> str:
    """Start the development database, if it does not run; return the lines to print.

    Raises:
        NothingToDo: there is no server to start.
        DevServerError, SettingsError: no server answers that is this project's.
    """
    if made := make_env_file():
        print(made, flush=True)
    database = find_development_database()
    with lock_state():
        state = claim_state()
        mark = project_mark()
        if mark is None:
            raise DevServerError(f"{SECRET} cannot be read: it is somebody else's")
        answer = identify(database, state)
        if has_published_password() and (forced_provider() or not _is_foreign(answer)):
            database = change_password(database)
            answer = identify(database, state)
        if isinstance(answer, RunningServer) and answer.mark == mark:
            complete_state(state)
            _refuse_other_provider(state)
        else:
            database = _start(database, state, mark, answer)
            answer = identify(database, state)
            if isinstance(answer, NoAnswer):
                _stop(state)  # a failed db-up leaves no server behind
        return _finish(database, state, mark, answer)


def _is_foreign(answer: RunningServer | NoAnswer) -> bool:
    """Tell whether a server takes the password in `.env` that no project's db-up has started."""
    return isinstance(answer, RunningServer) and not ANY_MARK.search(answer.mark)


def _refuse_other_provider(state: State) -> None:
    forced = forced_provider()
    if forced and state.provider and forced != state.provider:
        raise DevServerError(
            f"the server runs already, {PROVIDERS[state.provider]}: "
            f"'make db-down' before DB_SERVER={forced}"
        )


def _start(
    database: DatabaseURL, state: State, mark: str, answer: RunningServer | NoAnswer
) -> DatabaseURL:
    """Start a server; return the database at the port that the server got."""
    if isinstance(answer, NoAnswer) and runs_there(database, state):
        if answer.login_refused or find_server(state.data_directory) is not None:
            raise notes.not_stopped(database, state, answer)
    elif find_server(state.data_directory) is not None:
        _stop(state)  # it has another port, or the mark of another folder
    elif isinstance(answer, RunningServer) and _is_foreign(answer):
        _leave_alone(database, answer)

    has_data = read_major_version(state.data_directory) is not None
    start = start_container if uses_docker(state, has_data=has_data) else start_programs
    return start(database, state, mark)


def _stop(state: State) -> None:
    pid = find_server(state.data_directory)
    if pid is not None:
        stop_server(pid)


def _leave_alone(database: DatabaseURL, server: RunningServer) -> None:
    """Start nothing beside a foreign server that takes the password in `.env`: that is meant."""
    if forced_provider():
        return
    where = f"PostgreSQL {server.version} on {database.server}"
    if not server.has_database:
        raise DevServerError(
            f"{where} is not of db-up's making and has no database {database.name}: create it "
            "there, or write a free port into DATABASE_URL in .env"
        )
    raise NothingToDo(
        f"{where} has the database {database.name} already, and is not of db-up's making: "
        "nothing started"
    )


def _finish(
    database: DatabaseURL, state: State, mark: str, answer: RunningServer | NoAnswer
) -> str:
    """Check that the server is this project's, create its database; return the line to print."""
    if isinstance(answer, NoAnswer):
        if answer.login_refused:
            raise notes.login_refused(database, state)
        raise DevServerError(f"{database.server} does not answer: {answer.reason}")
    if answer.mark != mark:
        raise DevServerError(
            f"what answers on {database.server} is not the server that was started"
        )
    if not answer.has_database:
        create_database(database)
    for note in notes.warnings(database, state, answer):
        print(note, flush=True)
    provider = state.provider or "system"
    folder = state.outside or STATE_FOLDER.name
    where = "in a Docker volume" if provider == "docker" else f"in {folder}"
    return (
        f"PostgreSQL {answer.version}, {PROVIDERS[provider]}, answers on {database.server} "
        f"(database {database.name}, data {where})"
    )
