"""TCP ports of this machine: which are in use, and which is free."""

import errno
import socket
from typing import Any

from dbkit.devserver.errors import DevServerError

TRIES = 200


def in_use(host: str, port: int) -> bool:
    """Tell whether `port` is not free for a server on `host`."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return any(_is_taken(family, address) for family, *_, address in addresses)


def find_free(host: str, port: int) -> int:
    """Return the first free port above `port`.

    Raises:
        DevServerError: none of the next 200 is free.
    """
    for candidate in range(port + 1, min(port + 1 + TRIES, 65536)):
        if not in_use(host, candidate):
            return candidate
    raise DevServerError(f"no free port above {port}: write another one into DATABASE_URL in .env")


def _is_taken(family: int, address: Any) -> bool:
    # Binding does not tell everything: macOS allows it beside another server's wildcard address.
    with socket.socket(family) as client:
        client.settimeout(1)
        if client.connect_ex(address) == 0:
            return True
    with socket.socket(family) as listener:
        # Without this, connections of a stopped server would keep its port for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:  # "localhost" may have an address that the machine lacks
            return error.errno != errno.EADDRNOTAVAIL
    return False
