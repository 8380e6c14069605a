"""Runs a project's Python commands in forked processes, which have the libraries loaded already.

Most of the time of `python -m alembic …` is spent importing libraries. The server imports them once. For
each command it forks; the child gets the command's arguments, folder, environment and files, and imports
the project's own modules itself. `test_fork_server.py` compares such commands with real processes.

As a program, `fork_server.py SOCKET` serves until its standard input is closed.
"""

import array
import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import random
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from typing import Any, NoReturn, cast

# Libraries alone, and none that changes others by being imported, as alembic_postgresql_enum does.
LIBRARIES = (
    *("aiosqlite", "alembic.command", "alembic.config", "asyncpg", "cookiecutter.cli", "fastapi"),
    *("logging.config", "mako.template"),
    *("pydantic_settings", "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.dialects.sqlite.aiosqlite"),
    *("sqlalchemy.ext.asyncio", "sqlalchemy.orm", "tempfile", "tomllib", "concurrent.futures", "ipaddress"),
)
NUMBER = struct.Struct("!i")
ENDED_BY = (signal.SIGINT, signal.SIGTERM)


def serve(path: str) -> None:
    """Import the libraries, and fork for each connection until standard input is closed."""
    for name in LIBRARIES:
        importlib.import_module(name)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for the status of those that wait
    gc.collect()
    gc.freeze()
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _wait_for_command(connection)
        connection.close()


def _wait_for_command(connection: socket.socket) -> NoReturn:
    """Fork once more for the command itself, and report its process and its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    files = array.array("i")
    header, ancillary, *_ = connection.recvmsg(NUMBER.size, socket.CMSG_SPACE(3 * files.itemsize))
    for _level, _kind, data in ancillary:
        files.frombytes(data)
    (length,) = NUMBER.unpack(header)
    text = b""
    while len(text) < length:
        text += connection.recv(length - len(text))
    arguments, folder, environment, umask = json.loads(text)
    pid = os.fork()
    if pid == 0:
        connection.close()
        _run(arguments, folder, environment, umask, list(files))
    for file in files:
        os.close(file)
    connection.sendall(NUMBER.pack(pid))
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(OSError):  # whoever asked may have been killed
        connection.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _run(
    arguments: list[str], folder: str, environment: dict[str, str], umask: int, files: list[int]
) -> NoReturn:
    """Become the command, as far as it can tell."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(3, 256)
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    random.seed()
    for ended_by in ENDED_BY:
        signal.signal(ended_by, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if environment.get("PYTHONUNBUFFERED"):
        for stream in (sys.stdout, sys.stderr):
            cast(io.TextIOWrapper, stream).reconfigure(write_through=True)
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    here = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.path[0:1] = [folder if arguments[0] == "-m" else "", *here]
    sys.argv = arguments[1:] if arguments[0] == "-m" else ["-c", *arguments[2:]]
    os._exit(_exit_status(arguments))


def _exit_status(arguments: list[str]) -> int:
    status: Any = None
    try:
        if arguments[0] == "-m":
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            main = type(sys)("__main__")
            sys.modules["__main__"] = main
            exec(compile(arguments[1], "<string>", "exec"), main.__dict__)  # noqa: S102 - as `-c` does
    except SystemExit as ended:
        status = ended.code
    except BaseException as error:
        own_frame = error.__traceback__
        traceback.print_exception(error.with_traceback(own_frame.tb_next if own_frame else None))
        status = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    if status is not None and not isinstance(status, int):
        print(status, file=sys.stderr)
        status = 1
    with contextlib.suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined] # as the interpreter does at its end
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if status == -signal.SIGINT:  # as the interpreter ends that nobody has told what to do about it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return (status or 0) & 0xFF


if __name__ == "__main__":
    serve(sys.argv[1])
