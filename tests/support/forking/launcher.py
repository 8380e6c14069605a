"""Starts fork servers, and asks them from the tests' own process."""

import marshal
import os
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from support.forking import client

HERE = Path(__file__).parent


class ForkServer:
    """A server in a process of its own: as this user, or as the one that `account` says.

    Args:
        python: runs the server, and so decides which libraries there are.
        environment: of the server; commands with another one for the interpreter are not for it.
        account: keywords of `subprocess.Popen` such as `user`.
    """

    def __init__(
        self, python: str, environment: Mapping[str, str], account: Mapping[str, Any] | None = None
    ) -> None:
        # Not pytest's folder: its path is too long for a socket, and closed to others.
        self.folder = Path(tempfile.mkdtemp(prefix="fork-"))
        self.folder.chmod(0o755)
        self.address = str(self.folder / "socket")
        self.python = python
        self.environment = {os.fsencode(name): os.fsencode(text) for name, text in environment.items()}
        program = shutil.copy(HERE / "server.py", self.folder)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(self.address)
            listener.listen(128)
            self.process = subprocess.Popen(
                [python, program, str(listener.fileno())],
                cwd="/",
                env=dict(environment),
                stdin=subprocess.PIPE,  # its end is the server's
                pass_fds=[listener.fileno()],
                start_new_session=True,
                **(account or {}),
            )

    def close(self) -> None:
        """End the server and what still runs in it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)
        shutil.rmtree(self.folder)

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        executable: str = "",
        typed: str = "",
        seconds: float = 120,
    ) -> subprocess.CompletedProcess[str] | None:
        """Run Python with these arguments; None if that takes a real process.

        Args:
            executable: the path of Python that the command sees; by default the server's.
            typed: standard input, at most as much as a pipe holds.
        """
        encoded = {os.fsencode(name): os.fsencode(text) for name, text in environment.items()}
        if not client.can_be_forked(list(arguments), encoded, self.environment):
            return None
        umask = os.umask(0)
        os.umask(umask)
        request = marshal.dumps(
            {
                "arguments": [os.fsencode(argument) for argument in arguments],
                "environment": encoded,
                "executable": os.fsencode(executable),
                "folder": os.fsencode(folder),
                "ignored": [],
                "umask": umask,
            }
        )
        with ExitStack() as stack:
            connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            connection.connect(self.address)
            pipes = [os.pipe() for _ in range(3)]
            (read_in, write_in), (read_out, write_out), (read_err, write_err) = pipes
            os.write(write_in, typed.encode())
            os.close(write_in)
            theirs = [read_in, write_out, write_err]
            socket.send_fds(connection, [struct.pack("I", len(request))], theirs)
            connection.sendall(request)
            for descriptor in theirs:
                os.close(descriptor)
            files = [stack.enter_context(os.fdopen(end, "rb", 0)) for end in (read_out, read_err)]
            printed = self._read(files, seconds)
            if printed is None:
                raise subprocess.TimeoutExpired(list(arguments), seconds)
            answer = connection.recv(4)
            assert len(answer) == 4, "the fork server has gone"
        out, err = (data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n") for data in printed)
        return subprocess.CompletedProcess([self.python, *arguments], struct.unpack("i", answer)[0], out, err)

    def _read(self, files: list[Any], seconds: float) -> list[bytes] | None:
        """Read both to their ends; None when time is up."""
        deadline = time.monotonic() + seconds
        printed = dict.fromkeys(files, b"")
        with selectors.DefaultSelector() as selector:
            for file in files:
                selector.register(file, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(deadline - time.monotonic())
                if not ready:
                    return None
                for key, _ in ready:
                    data = key.fileobj.read(65536)  # type: ignore[union-attr] # it is a file
                    printed[key.fileobj] += data
                    if not data:
                        selector.unregister(key.fileobj)
        return list(printed.values())


def environment_with_client(server: ForkServer, folder: Path) -> Path:
    """Make a `.venv` for test projects: that of these tests, with the client as `python` and `alembic`.

    The real ones stand beside them, such as `real-python`.
    """
    real = Path(sys.prefix)
    base = str(getattr(sys, "_base_executable", sys.executable))
    if " " in base or len(base) > 120:  # more than a first line `#!` can hold: real processes do as well
        return real
    configuration = server.folder / "configuration"
    configuration.write_bytes(
        marshal.dumps(
            {
                "address": server.address,
                "environment": server.environment,
                "identity": client.identity(),
                "scripts": f"{real / 'bin'}/",
            }
        )
    )
    compiled = server.folder / "client"
    source = (HERE / "client.py").read_text("utf-8")
    compiled.write_bytes(marshal.dumps(compile(source, str(HERE / "client.py"), "exec")))
    program = (
        f"#!{base} -ISE\nimport marshal\n"
        f"with open({str(compiled)!r}, 'rb') as file:\n    exec(marshal.load(file))\n"
        f"main({str(configuration)!r})\n"
    )
    (folder / "bin").mkdir(parents=True)
    for path in real.iterdir():
        if path.name != "bin":
            (folder / path.name).symlink_to(path)
    for path in (real / "bin").iterdir():
        ours = folder / "bin" / path.name
        if path.name.startswith("python") or path.name in client.SCRIPTS:
            ours.write_text(program)
            ours.chmod(0o755)
            ours.with_name(f"real-{path.name}").symlink_to(path.resolve())
        else:
            ours.symlink_to(path)
    return folder
