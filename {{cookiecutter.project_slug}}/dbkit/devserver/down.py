"""`make db-down`: stop what `make db-up` started, and keep the data."""

from dbkit.connection.mark import STATE_FOLDER
from dbkit.devserver.cluster import find_server, stop_server
from dbkit.devserver.errors import NothingToDo
from dbkit.devserver.providers import docker
from dbkit.devserver.state import lock_state, read_state


def down() -> str:
    """Stop the server; return the line to print.

    Raises:
        NothingToDo: no server of this project runs.
        DevServerError: the server does not stop.
    """
    if not STATE_FOLDER.is_dir():
        raise NothingToDo("No server of this project runs")
    with lock_state():
        state = read_state()
        pid = find_server(state.data_directory)
        if pid is not None:
            stop_server(pid)
            return f"PostgreSQL stopped; its data stays in {state.data_directory}"
        if state.provider == "docker" and docker.stop_container():
            return "PostgreSQL in Docker stopped; its volume stays"
    raise NothingToDo("No server of this project runs")
