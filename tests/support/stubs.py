"""What stands in for a program of another machine: a Docker that answers as told, a tunnel."""

import contextlib
import json
import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.devserver_project import User


@contextmanager
def relay(target: int, port: int = 0) -> Iterator[int]:
    """A tunnel: what arrives on the yielded port of 127.0.0.1 goes to the `target` port."""
    listener = socket.create_server(("127.0.0.1", port))
    done = threading.Event()

    def pump(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", target)) as server:
            while not done.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.1)
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)

    def accept() -> None:
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = listener.accept()
                thread = threading.Thread(target=pump, args=(client,))
                threads.append(thread)
                thread.start()

    listener.settimeout(0.1)
    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        done.set()
        for thread in threads:
            thread.join()
        listener.close()


# A line of two languages: the path behind #! may hold no space.
STUB = """#!/bin/sh
'''exec' "{python}" "$0" "$@" #'''
import json, os, sys
from pathlib import Path
folder, arguments = Path(__file__).parent, sys.argv[1:]
with (folder / "calls").open("a") as calls:
    print(json.dumps([arguments, dict(os.environ)]), file=calls)
answers = json.loads((folder / "answers").read_text())
command = " ".join(arguments)
for prefix, (status, said) in answers.items():
    if command.startswith(prefix):
        (folder / prefix.replace(" ", "-")).touch()
        print(said, file=sys.stderr if status else sys.stdout)
        sys.exit(status)
sys.exit(1)
"""


class Stub:
    """A program that answers as told, and remembers how it was called."""

    def __init__(self, folder: Path, name: str, user: User) -> None:
        folder.mkdir()
        folder.chmod(0o777)
        self.folder = folder
        program = folder / name
        program.write_text(STUB.replace("{python}", user.python), "utf-8")
        program.chmod(0o755)
        self.answer({})

    @property
    def path(self) -> str:
        """`PATH` with the program at its front."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def answer(self, answers: dict[str, tuple[int, str]]) -> None:
        """From now on: the beginning of a command → exit status and output, a failure otherwise."""
        (self.folder / "answers").write_text(json.dumps(answers), "utf-8")

    @property
    def calls(self) -> list[tuple[list[str], dict[str, str]]]:
        """The arguments and the environment of each call so far."""
        file = self.folder / "calls"
        recorded = file.read_text("utf-8").splitlines() if file.exists() else []
        return [(arguments, variables) for arguments, variables in map(json.loads, recorded)]
