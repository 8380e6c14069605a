"""The client: has its command run by a fork server, or becomes a real process where that is not the same.

It is the program `python` in the environment of test projects. Starting it is what a command costs beside
the fork, so it imports nothing but modules that are built into the interpreter.
"""

import sys

# Variables that the interpreter or a library reads once, when it starts or is imported.
READ_EARLY = (
    b"PYTHON",
    b"LC_",
    b"LANG",
    b"LD_",
    b"MALLOC",
    b"PYDANTIC_",
    b"SQLALCHEMY_",
    b"TERM",
    b"COLUMNS",
)
MODULES = ("alembic", "dbkit", "ruff", "cookiecutter", "uvicorn")
SCRIPTS = ("alembic",)
NAMESPACES = ("mnt", "net", "pid", "user", "uts")
IDENTITY = ("Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp:")


def read_early(environment: "dict[bytes, bytes]", module: str) -> "list[tuple[bytes, bytes]]":
    """The variables that must be the server's own."""
    early = READ_EARLY + ((b"HOME",) if module == "cookiecutter" else ())
    return sorted(pair for pair in environment.items() if pair[0].startswith(early) and pair[1])


def identity() -> "list[str]":
    """Who this process is and what it may: another one's child would be somebody else."""
    import posix

    with open("/proc/self/status") as file:  # noqa: PTH123 - pathlib takes longer than all of this
        lines = [line for line in file if line.startswith(IDENTITY)]
    return lines + [posix.readlink(f"/proc/self/ns/{name}") for name in NAMESPACES]


def can_be_forked(
    arguments: "list[str]", environment: "dict[bytes, bytes]", servers: "dict[bytes, bytes]"
) -> bool:
    """Whether a child of a server with the environment `servers` does the same as `python …` itself."""
    if arguments[:1] == ["-m"] and arguments[1] in MODULES:
        name = arguments[1]
    elif arguments[:1] == ["-c"] or (arguments and arguments[0].rpartition("/")[2] in SCRIPTS):
        name = ""
    else:
        return False
    return read_early(environment, name) == read_early(servers, name)


def main(configuration_file: str) -> None:
    """Run `program argument …`; the launcher wrote the configuration."""
    import _signal  # type: ignore[import-not-found] # the built-in part of `signal`
    import _socket
    import marshal
    import posix

    with open(configuration_file, "rb") as file:  # noqa: PTH123
        configuration = marshal.load(file)  # noqa: S302 - the tests wrote it
    program, arguments = sys.argv[0], sys.argv[1:]
    folder, _, name = program.rpartition("/")
    real = [f"{folder}/real-{name}"]
    executable = program if name.startswith("python") else ""
    if not executable:
        arguments = [configuration["scripts"] + name, *arguments]
        real = arguments[:1]
    elif arguments[:2] == ["-m", "mypy"]:  # it knows libraries by their paths: the same in all projects
        real = [configuration["scripts"] + "python"]

    environment = dict(posix.environ)
    streams = (0, 1, 2)
    if (
        b"REAL_PROCESSES" in environment
        or not can_be_forked(arguments, environment, configuration["environment"])
        or any(map(posix.isatty, streams))
        or identity() != configuration["identity"]
    ):
        posix.execv(real[0], [*real, *sys.argv[1:]])
    if executable and not executable.startswith("/"):
        executable = f"{posix.getcwd()}/{executable}"

    def encode(text: str) -> bytes:
        return text.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())

    umask = posix.umask(0)
    posix.umask(umask)
    numbers = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
    ignored = [
        int(number) for number in (*numbers, _signal.SIGQUIT) if _signal.getsignal(number) == _signal.SIG_IGN
    ]
    if _signal.SIGINT not in ignored:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    request = marshal.dumps(
        {
            "arguments": [encode(argument) for argument in arguments],
            "environment": environment,
            "executable": encode(executable),
            "folder": posix.getcwdb(),
            "ignored": ignored,
            "umask": umask,
        }
    )
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(configuration["address"])
    descriptors = b"".join(stream.to_bytes(4, sys.byteorder) for stream in streams)
    head = len(request).to_bytes(4, sys.byteorder)
    connection.sendmsg([head], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
    connection.sendall(request)
    for number in numbers:
        if number not in ignored:
            _signal.signal(number, lambda number, _frame: connection.send(bytes([number])))
    answer = b""
    while len(answer) < 4:
        part = connection.recv(4 - len(answer))
        if not part:
            sys.exit("the fork server of the tests has gone")
        answer += part
    status = int.from_bytes(answer, sys.byteorder, signed=True)
    if status < 0:
        if -status != _signal.SIGKILL:
            _signal.signal(-status, _signal.SIG_DFL)
        posix.kill(posix.getpid(), -status)
    posix._exit(status)
