"""TCP ports of this machine."""

import errno
import socket
from typing import Any

from dbkit.devserver import Failure

TRIES = 200


def in_use(host: str, port: int) -> bool:
    """Whether a server on `host` could not have `port`."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return any(_taken(family, address) for family, *_, address in addresses)


def _taken(family: int, address: Any) -> bool:
    # Binding alone is not enough: macOS lets one bind an address below somebody's wildcard.
    with socket.socket(family) as visitor:
        visitor.settimeout(1)
        if visitor.connect_ex(address) == 0:
            return True
    with socket.socket(family) as listener:
        # What connections of a stopped server leave behind for a minute is not in the way.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:  # "localhost" may have an address that the machine lacks
            return error.errno != errno.EADDRNOTAVAIL
    return False


def next_free(host: str, port: int) -> int:
    """The first port above `port` that is free.

    Raises:
        Failure: none is, as far as anybody would look.
    """
    for candidate in range(port + 1, min(port + 1 + TRIES, 65536)):
        if not in_use(host, candidate):
            return candidate
    raise Failure(f"no free port above {port}: write another one into DATABASE_URL in .env")
