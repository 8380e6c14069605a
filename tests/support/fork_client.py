"""Asks the fork server for a process. It imports little, because a program for make starts with it."""

import array
import json
import os
import socket
import struct
from collections.abc import Mapping

# The interpreter reads its other variables when it starts: a command that has one gets a real process.
HONOURED = {"PYTHONUTF8", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
MODULES = {"alembic", "dbkit", "cookiecutter"}
NUMBER = struct.Struct("!i")


def fits(arguments: list[str], environment: Mapping[str, str]) -> bool:
    """Tell whether arguments of Python are a command that the server runs as a real process would."""
    special = {name for name in environment if name.startswith("PYTHON")} - HONOURED
    if special or environment.get("PYTHONUTF8") != "1" or len(arguments) < 2:
        return False
    return arguments[0] == "-c" or (arguments[0] == "-m" and arguments[1] in MODULES)


def ask(
    address: str,
    arguments: list[str],
    folder: str,
    environment: Mapping[str, str],
    files: tuple[int, int, int],
) -> socket.socket:
    """Ask the server for a process whose standard input, output and error are `files`.

    The connection gives its process id, and when it has ended its status, as `Popen.returncode` has it.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    mask = os.umask(0)
    os.umask(mask)
    text = json.dumps([arguments, folder, dict(environment), mask]).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
    connection.sendmsg([NUMBER.pack(len(text))], rights)
    connection.sendall(text)
    return connection


def receive(connection: socket.socket) -> int:
    """Read the next number that the server sends."""
    text = connection.recv(NUMBER.size, socket.MSG_WAITALL)
    if len(text) < NUMBER.size:
        raise ConnectionError("the fork server has ended")
    number: int = NUMBER.unpack(text)[0]
    return number
