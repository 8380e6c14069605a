"""`make db-down`: stop what `make db-up` started, and keep the data."""

from dbkit.devserver import NothingToDo, docker, folder, home, postmaster


def down() -> str:
    """Stop the server; returns what to tell.

    Raises:
        NothingToDo: none of ours runs.
        Failure: it does not stop.
    """
    state = folder.read()
    if not folder.STATE.parent.is_dir():
        raise NothingToDo("No server of this project runs")
    with folder.alone():
        data = home.data_folder(state)
        pid = postmaster.find(data)
        if pid is not None:
            postmaster.stop(pid)
            return f"PostgreSQL stopped; its data stays in {data}"
        if state.way == "docker" and docker.stop():
            return "PostgreSQL in Docker stopped; its volume stays"
    raise NothingToDo("No server of this project runs")
