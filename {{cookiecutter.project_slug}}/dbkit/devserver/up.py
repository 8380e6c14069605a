"""`make db-up`: whatever state things are in, end with a server that answers and is ours."""

import re
from pathlib import Path

from dbkit.connection.mark import HOME, project_mark
from dbkit.connection.url import DatabaseURL
from dbkit.devserver import (
    Failure,
    NothingToDo,
    folder,
    home,
    native,
    postmaster,
    probe,
    start,
    target,
    ways,
)
from dbkit.devserver.folder import State

FOUND = {
    "docker": "in Docker",
    "system": "found on this machine",
    "wheel": "from the Python package",
}
A_MARK = re.compile(r"-[0-9a-f]{32}$")


def up() -> str:
    """Start the development database, if it does not run; returns what to tell.

    Raises:
        NothingToDo, Failure: see there.
    """
    database = target.development_database()
    with folder.alone():
        state = folder.claim()
        mark = project_mark()
        if mark is None:
            raise Failure(f"{HOME / 'mark'} cannot be read: it is somebody else's")
        answer = probe.ask(database)
        if isinstance(answer, probe.Silent) and _runs_there(database, state):
            answer = probe.ask_patiently(database)
        if isinstance(answer, probe.Running) and answer.mark == mark:
            _remember(state, answer)
            _refuse_another_way(state)
        else:
            database = _start(database, state, mark, answer)
            answer = probe.ask(database)
        return _settled(database, state, mark, answer)


def _remember(state: State, answer: probe.Running) -> None:
    """What a lost state said, as the running server tells it."""
    if state.way is not None:
        return
    state.way = "docker"
    if Path(answer.data, "postmaster.opts").is_file():
        home_folder = Path(answer.data).parent
        state.home = None if home_folder == HOME else str(home_folder)
        program = Path(answer.data, "postmaster.opts").read_text().partition(' "')[0]
        state.bindir = str(Path(program).parent)
        state.way = "wheel" if program.startswith(f"{home_folder}/wheel/") else "system"
    state.save()


def _refuse_another_way(state: State) -> None:
    way = ways.forced()
    if way and state.way and way != state.way:
        raise Failure(
            f"the server runs already, {FOUND[state.way]}: 'make db-down' before DB_SERVER={way}"
        )


def _start(
    database: DatabaseURL, state: State, mark: str, answer: probe.Running | probe.Silent
) -> DatabaseURL:
    """Start a server; returns the database where it now is."""
    data = home.data_folder(state)
    pid = postmaster.find(data)
    if pid is not None:  # it has another port, the mark of another folder, or another password
        if isinstance(answer, probe.Silent) and _runs_there(database, state):
            _refuse_to_stop(database, answer)
        postmaster.stop(pid)
    elif isinstance(answer, probe.Running) and not A_MARK.search(answer.mark):
        _leave_alone(database, answer)

    if ways.goes_by_docker(state, has_data=home.major_version(data) is not None):
        return start.by_docker(database, state, mark)
    return start.natively(database, state, mark)


def _runs_there(database: DatabaseURL, state: State) -> bool:
    data = home.data_folder(state)
    return postmaster.find(data) is not None and postmaster.port(data) == database.url.port


def _refuse_to_stop(database: DatabaseURL, answer: probe.Silent) -> None:
    """It may be slow, or what `.env` asks of it may be wrong: others are connected to it."""
    if answer.refused_login:
        raise Failure(native.password_refused(database))
    raise Failure(
        f"this project's server runs, but on {database.server}: {answer.reason.partition(';')[0]} "
        "(if it stays so: 'make db-down', then 'make db-up')"
    )


def _leave_alone(database: DatabaseURL, answer: probe.Running) -> None:
    """A server of one's own, whose password stands in `.env`: that is no accident."""
    if ways.forced():
        return
    where = f"PostgreSQL {answer.version} on {database.server}"
    if not answer.has_database:
        raise Failure(
            f"{where} is not of db-up's making and has no database {database.name}: create it "
            "there, or write a free port into DATABASE_URL in .env"
        )
    raise NothingToDo(
        f"{where} has the database {database.name} already, and is not of db-up's making: "
        "nothing started"
    )


def _settled(
    database: DatabaseURL, state: State, mark: str, answer: probe.Running | probe.Silent
) -> str:
    if isinstance(answer, probe.Silent):
        if answer.refused_login:
            raise Failure(native.password_refused(database))
        raise Failure(f"{database.server} does not answer: {answer.reason}")
    if answer.mark != mark:
        raise Failure(f"what answers on {database.server} is not the server that was started")
    if not answer.has_database:
        probe.create(database)
    way = state.way or "system"
    where = "in a Docker volume" if way == "docker" else f"in {state.home or HOME.name}"
    return (
        f"PostgreSQL {answer.version}, {FOUND[way]}, answers on {database.server} "
        f"(database {database.name}, data {where})"
    )
