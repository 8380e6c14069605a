"""The server: forks a child for each request that comes in on its socket. Imports nothing of the tests.

It ends when its standard input does, that is with the process that started it, however that ends.
"""

import atexit
import builtins
import contextlib
import gc
import importlib
import importlib.util
import io
import marshal
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
import threading
import time
import types
from typing import Any, NoReturn

# What commands import of libraries; no plugin of Alembic, whose import alone changes what autogenerate does.
LIBRARIES = (
    *("argparse", "asyncio", "concurrent.futures.thread", "difflib", "email.parser", "graphlib"),
    *("logging.config", "pwd", "sqlite3", "ssl"),
    *("sqlalchemy.ext.asyncio", "sqlalchemy.orm", "sqlalchemy.dialects.sqlite.aiosqlite", "aiosqlite"),
    *("sqlalchemy.dialects.postgresql.asyncpg", "asyncpg", "pydantic_settings", "dotenv", "mako.template"),
    *("alembic.config", "alembic.command", "alembic.autogenerate", "alembic.ddl.postgresql"),
    *("cookiecutter.cli", "uuid", "uuid_utils.compat"),
)
# What takes long to import, and is when the first command begins like that.
FOR_ONE = {
    b"-m uvicorn": ("uvicorn.main", "uvicorn.lifespan.on", "uvicorn.protocols.http.auto", "fastapi", "httpx"),
}
FORWARDED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


def preload(libraries: "tuple[str, ...]") -> None:
    """Import those libraries that this environment has."""
    for name in libraries:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page of them
    gc.set_threshold(20_000, 20, 20)  # commands are short; `finish` collects what they leave


class Server:
    """Accepts requests, forks, and sends each caller the status of its child."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, None)
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ, None)
        self.children: dict[int, socket.socket] = {}  # process → its caller

    def serve(self) -> "dict[str, Any] | None":
        """Serve until standard input ends: None then. In a child, return what it is to run."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    request = self.fork()
                    if request is not None:
                        return request
                elif key.data is None:
                    for pid in self.children:
                        os.kill(pid, signal.SIGKILL)
                    return None
                elif key.data[0] in self.children:
                    self.attend(key)

    def fork(self) -> "dict[str, Any] | None":
        """Accept a request and fork; return the request in the child."""
        caller, _ = self.listener.accept()
        caller.settimeout(30)
        try:
            request, streams = receive(caller)
        except (OSError, EOFError):  # its caller was killed meanwhile
            caller.close()
            return None
        if libraries := FOR_ONE.pop(b" ".join(request["arguments"][:2]), None):
            preload(libraries)
        # A signal that comes before the child has its handlers would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        pid = os.fork()
        if pid == 0:
            caller.close()
            self.close()
            take_over(streams)
            return request
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        for stream in streams:
            os.close(stream)
        ended = os.pidfd_open(pid)
        self.children[pid] = caller
        self.selector.register(ended, selectors.EVENT_READ, (pid, ended))
        self.selector.register(caller, selectors.EVENT_READ, (pid, ended))
        return None

    def attend(self, key: selectors.SelectorKey) -> None:
        """A child has ended, or its caller sends a signal, or has gone."""
        pid, ended = key.data
        caller = self.children[pid]
        if key.fileobj == ended:
            _, status = os.waitpid(pid, 0)
            del self.children[pid]
            self.selector.unregister(ended)
            if caller in self.selector.get_map():
                self.selector.unregister(caller)
            os.close(ended)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the caller was killed
                caller.sendall(struct.pack("i", os.waitstatus_to_exitcode(status)))
            caller.close()
            return
        try:
            signals = caller.recv(64)
        except ConnectionResetError:
            signals = b""
        for number in signals or [signal.SIGKILL]:
            os.kill(pid, number)
        if not signals:  # or its end would be reported again and again
            self.selector.unregister(caller)

    def close(self) -> None:
        """Close what a child must not have."""
        self.selector.close()
        for connection in (self.listener, *self.children.values()):
            connection.close()


def receive(caller: socket.socket) -> "tuple[dict[str, Any], list[int]]":
    """Read a request: its length with the standard streams, then the request."""
    head, streams, _, _ = socket.recv_fds(caller, 4, 3)
    if len(head) < 4:
        raise EOFError
    length, data = struct.unpack("I", head)[0], b""
    while len(data) < length:
        part = caller.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return marshal.loads(data), streams  # noqa: S302 - from a process of these tests


def take_over(streams: list[int]) -> None:
    """Let these three be the standard streams, in Python's own way, and close everything else."""
    read, written, errors = sys.stdin, sys.stdout, sys.stderr
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    names = ("<stdin>", "<stdout>", "<stderr>")
    modes = ("r", "w", "w")
    for name, mode, number, old in zip(names, modes, range(3), (read, written, errors), strict=True):
        raw = io.FileIO(number, mode, closefd=False)
        raw.name = name
        direct = mode == "w" and bool(os.environ.get("PYTHONUNBUFFERED"))
        buffer = io.BufferedReader(raw) if mode == "r" else raw if direct else io.BufferedWriter(raw)
        text = io.TextIOWrapper(
            buffer,
            encoding=old.encoding,
            errors=old.errors,
            newline=None if mode == "r" else "\n",
            line_buffering=number == 2 and not direct,
            write_through=direct,
        )
        text.__dict__["mode"] = mode  # as the interpreter does
        setattr(sys, name[1:-1], text)
        setattr(sys, f"__{name[1:-1]}__", text)


def become(request: "dict[str, Any]") -> None:
    """Be the process that the caller would have started: its environment, folder, umask, interpreter."""
    os.setpgid(0, 0)  # the caller's group is not the server's
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environb.update(request["environment"])
    time.tzset()
    for number in request["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    executable = os.fsdecode(request["executable"])
    if executable:
        prefix = executable.rsplit("/", 2)[0]
        sys.path[:] = [path.replace(sys.prefix, prefix, 1) for path in sys.path]
        sys.executable, sys.prefix, sys.exec_prefix = executable, prefix, prefix
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)


def run(arguments: list[str]) -> object:
    """Run `-m module …`, `-c code …` or `script …` as Python does; return what `sys.exit` was given."""
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main
    sys.orig_argv = [sys.executable, *arguments]
    try:
        if arguments[0] == "-m":
            sys.argv = ["-m", *arguments[2:]]
            sys.path.insert(0, os.getcwd())  # noqa: PTH109
            runpy._run_module_as_main(arguments[1])  # type: ignore[attr-defined] # what `python -m` calls
        elif arguments[0] == "-c":
            sys.argv = ["-c", *arguments[2:]]
            sys.path.insert(0, "")
            exec(compile(arguments[1], "<string>", "exec"), main.__dict__)  # noqa: S102 - as Python runs it
        else:
            sys.argv = arguments
            sys.path.insert(0, os.path.realpath(arguments[0]).rpartition("/")[0])
            main.__dict__["__file__"] = arguments[0]
            with io.open_code(arguments[0]) as file:
                code = compile(file.read(), arguments[0], "exec")
            exec(code, main.__dict__)  # noqa: S102 - a script, as Python runs it
    except SystemExit as error:
        return error.code
    except BaseException as error:
        traceback = error.__traceback__
        while traceback and traceback.tb_frame.f_code.co_filename == __file__:
            traceback = traceback.tb_next
        sys.excepthook(type(error), error.with_traceback(traceback), traceback)
        return error if isinstance(error, KeyboardInterrupt) else 1
    return None


def finish(result: object, last_library: str) -> NoReturn:
    """End as the interpreter does, but leave the libraries' modules, whose end would take longest.

    They are not even looked at: that alone would copy a thousand pages of memory, which has as many counts
    of references.

    Args:
        last_library: name of the module that was imported last before the command ran.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    interrupted = isinstance(result, KeyboardInterrupt)
    if interrupted:
        result = 1
    elif not (result is None or isinstance(result, int)):
        print(result, file=sys.stderr)
        result = 1
    atexit._run_exitfuncs()
    folder = sys.path[0] or os.getcwd()  # noqa: PTH109
    own = []
    for name, module in reversed(sys.modules.items()):
        if name == last_library:
            break
        if (getattr(module, "__file__", None) or "").startswith(folder):
            own.append(module)
    if "logging" in sys.modules:  # a formatter of theirs is about to lose what it needs
        sys.modules["logging"].getLogger().handlers.clear()
    for module in (*own, sys.modules["__main__"]):
        module.__dict__.clear()
    gc.collect()  # what has a last word to say says it
    status = int(result or 0) & 0xFF
    try:
        sys.stdout.flush()
    except OSError as error:  # such as a pipe that nobody reads
        print(f"Exception ignored in: {sys.stdout!r}\n{type(error).__name__}: {error}", file=sys.stderr)
        status = 120
    sys.stderr.flush()
    if interrupted:  # so that the caller knows
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status)


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    preload(LIBRARIES)
    server = Server(socket.socket(fileno=int(sys.argv[1])))
    wanted = server.serve()
    if wanted is not None:
        del server
        become(wanted)
        last = next(reversed(sys.modules))
        finish(run([os.fsdecode(argument) for argument in wanted["arguments"]]), last)
