"""Keeps the reason that a server gives when it closes a connection which is idle.

asyncpg reads it, and drops it because nobody waits for an answer. So its protocol is listened to.
"""

from typing import Any

import asyncpg


class LastWordConnection(asyncpg.Connection):  # asyncpg's own option `connection_class`
    """A connection that, once it is closed, answers with the server's own reason."""

    def __init__(self, protocol: Any, transport: Any, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        self._listener = _Listener(protocol)
        transport.set_protocol(self._listener)

    def _check_open(self) -> None:
        """Raise the server's reason where asyncpg says no more than `connection is closed`."""
        if self.is_closed() and (reason := read_error(self._listener.last)):
            raise reason
        super()._check_open()  # type: ignore[misc]


class _Listener:
    """A protocol of asyncio that hands everything on to asyncpg's, and keeps what came last."""

    def __init__(self, protocol: Any) -> None:
        self._hand_on = protocol.data_received
        self.last = b""
        self.connection_made = protocol.connection_made
        self.connection_lost = protocol.connection_lost
        self.eof_received = protocol.eof_received
        self.pause_writing = protocol.pause_writing
        self.resume_writing = protocol.resume_writing

    def data_received(self, data: bytes) -> None:
        self.last = data
        self._hand_on(data)


def read_error(data: bytes) -> asyncpg.PostgresError | None:
    """Return the error at the end of what a server sent, if that can be read; none of it is a row.

    https://www.postgresql.org/docs/current/protocol-message-formats.html
    """
    error = None
    while len(data) > 4:
        end = 1 + int.from_bytes(data[1:5], "big")
        if data[:1] == b"Z":  # the error of a statement, after which the server went on
            error = None
        if data[:1] == b"E" and 5 < end <= len(data):
            pieces = (piece.decode(errors="replace") for piece in data[5:end].split(b"\0") if piece)
            error = asyncpg.PostgresError.new({piece[0]: piece[1:] for piece in pieces})
        data = data[max(end, 5) :]
    return error
