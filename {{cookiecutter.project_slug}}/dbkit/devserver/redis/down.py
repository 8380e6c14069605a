"""`make db-down`: stop the Redis that `make db-up` started."""

from dbkit.connection.mark import STATE_FOLDER
from dbkit.devserver.errors import NothingToDo
from dbkit.devserver.providers import docker
from dbkit.devserver.redis.server import find_own, stop
from dbkit.devserver.redis.up import INSIDE, SERVICE
from dbkit.devserver.state import lock_state, read_state


def down() -> str:
    """Stop the server; return the line to print.

    Raises:
        NothingToDo: no Redis of this project runs.
        DevServerError: the server does not stop.
    """
    if not STATE_FOLDER.is_dir():
        raise NothingToDo("No Redis of this project runs")
    with lock_state():
        own = find_own(read_state().server_folder / SERVICE)
        if own is not None:
            stop(own)
            return "Redis stopped; what was in it is gone"
        if docker.engine_answers() and docker.find_published_port(SERVICE, INSIDE) is not None:
            docker.stop_service(SERVICE)
            return "Redis in Docker stopped; what was in it is gone"
    raise NothingToDo("No Redis of this project runs")
