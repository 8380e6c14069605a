"""A PostgreSQL of the tests' own: the fixture `postgres_server` is one, `running_server` makes another.

It comes from the machine's own programs, not from the code under test, and so does what talks to it here.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from support.shared import made_once

PATIENCE = 30  # seconds to start, on a busy machine
# Autovacuum would visit hundreds of databases, one after the other and ten a second.
FAST = {
    "autovacuum_naptime": "1h",
    "fsync": "off",
    "full_page_writes": "off",
    "max_locks_per_transaction": "512",  # as `make db-up` has it
    "max_wal_size": "4GB",
    "synchronous_commit": "off",
    "wal_init_zero": "off",
}


@cache
def bindir() -> Path | None:
    """Where this machine keeps `initdb`, `postgres` and `psql`, if it does."""
    asked = shutil.which("pg_config")
    said = subprocess.run([asked, "--bindir"], capture_output=True, text=True).stdout if asked else ""
    places = [
        Path(said.strip() or "/nowhere"),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    ]
    on_path = shutil.which("postgres")
    if on_path:
        places.append(Path(on_path).resolve().parent)
    complete = (all((place / name).is_file() for name in ("initdb", "postgres", "psql")) for place in places)
    return next((place for place, has_all in zip(places, complete, strict=True) if has_all), None)


def account() -> dict[str, Any]:
    """Keywords of `subprocess.run`: PostgreSQL refuses root, so root becomes somebody without rights."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def scram_secret(password: str) -> str:
    """What the server keeps of a password: one round of hashing at a login, instead of 4,096 on both sides.

    Those are for who steals it, and a seventh of what a connection costs.
    https://www.postgresql.org/docs/current/catalog-pg-authid.html
    """

    def sign(key: bytes, text: bytes) -> bytes:
        return hmac.digest(key, text, "sha256")

    def encode(data: bytes) -> str:
        return base64.b64encode(data).decode()

    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(sign(salted, b"Client Key")).digest()
    return f"SCRAM-SHA-256$1:{encode(salt)}${encode(stored)}:{encode(sign(salted, b'Server Key'))}"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on, for now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class PostgresServer:
    """A cluster; nothing in here goes through the code under test."""

    folder: Path  # the data, and the directory of the socket
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    superuser: str = "postgres"
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    settings: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "log"

    @property
    def programs(self) -> Path:
        """The folder of the programs."""
        found = bindir()
        assert found is not None
        return found

    def url(
        self, database: str = "postgres", *, user: str = "", password: str = "", scheme: str = "postgresql"
    ) -> str:
        """The URL of a database, for the superuser or for a role."""
        secret = quote(password or self.password, safe="")
        return f"{scheme}://{user or self.superuser}:{secret}@{self.host}:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run SQL as the superuser; returns the rows as unaligned text."""
        result = subprocess.run(
            [
                self.programs / "psql",
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                self.url(database),
            ],
            input=statement,
            env=_environment(),
            capture_output=True,
            encoding="utf-8",
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def create_database(self, name: str = "", *, template: str = "template0") -> str:
        """Create a database, empty or a copy, and return its URL."""
        name = name or f"test_{secrets.token_hex(4)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')  # half the time
        return self.url(name)

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser, from this process: psql takes longer to start."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url(), ssl=False)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())

    def initialise(self) -> None:
        """Make the data."""
        who = account()
        if who:
            os.chown(self.folder, who["user"], who["group"])
        (self.folder / "password").write_text(self.password)
        secret = self.folder / "secret"
        secret.write_text(scram_secret(self.password))
        secret.chmod(0o644)
        command: list[str | Path] = [
            self.programs / "initdb",
            "-D",
            self.data,
            "-U",
            self.superuser,
            "--pwfile",
            secret,
        ]
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        subprocess.run(
            [*command, *options], check=True, capture_output=True, cwd="/", env=_environment(), **who
        )

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Write a file into the data directory, as the server's own."""
        path = self.data / name
        path.write_text(text)
        path.chmod(mode)
        if os.geteuid() == 0:
            os.chown(path, self.data.stat().st_uid, self.data.stat().st_gid)
        return path

    def start(self, *, wait: bool = True) -> None:
        """Start on the same port as before, and wait for it unless it is to answer nobody."""
        settings = {
            **FAST,
            "listen_addresses": "127.0.0.1,::1",  # one that the machine lacks is left out
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, *options],
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **account(),
            )
        deadline = time.monotonic() + PATIENCE
        while wait and not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def _answers(self) -> bool:
        command: list[str | Path] = [self.programs / "psql", "-X", "-d", self.url(), "-c", "SELECT 1"]
        return subprocess.run(command, capture_output=True, env=_environment()).returncode == 0

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it at once, open connections or not; nothing happens where it does not run."""
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(PATIENCE)
        self.process = None

    def restart(self) -> None:
        """Stop and start: every connection is gone."""
        self.stop()
        self.start()

    @contextmanager
    def paused(self, *pids: int) -> Iterator[None]:
        """These processes stand still, or all: then the server accepts connections, and never answers."""
        assert self.process is not None
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        children = [pid for pid, parent in pairs if parent == self.process.pid]
        stopped = pids or (self.process.pid, *children)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def copy_cluster(server: PostgresServer) -> None:
    """Give a server data and a password as all have it: a copy takes a tenth of the time of `initdb`."""

    def initialise(folder: Path) -> None:
        folder.mkdir()
        PostgresServer(folder).initialise()

    original = PostgresServer(made_once("cluster", initialise))
    who = account()
    if who:
        os.chown(server.folder, who["user"], who["group"])
    server.password = (original.folder / "password").read_text()
    subprocess.run(["cp", "-a", original.data, server.data], check=True, capture_output=True, cwd="/", **who)


@contextmanager
def running_server(prepare: Callable[[PostgresServer], None] | None = None) -> Iterator[PostgresServer]:
    """A new cluster in a folder of its own, gone at the end; skips where PostgreSQL is not installed.

    Args:
        prepare: is given the cluster before it starts, to write files and to set `settings`.
    """
    if bindir() is None:
        pytest.skip("no PostgreSQL server programs on this machine")
    # Not pytest's folder: it is private to us, and too long a path for a socket.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        if "TESTS_SHARED" in os.environ:
            copy_cluster(server)
        else:
            server.initialise()
        if prepare:
            prepare(server)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)  # as a crash: nobody needs the data any more
