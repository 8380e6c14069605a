"""A Redis of the tests' own, and projects that have Redis."""

import compileall
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from support.baking import Baker, copy_checkout
from support.commands import PACKAGES
from support.servers import PATIENCE, account, free_port
from support.shared import made_once

PASSWORD = "s3cr3t"


def program() -> str:
    """Where `redis-server` or `valkey-server` is."""
    found = next(filter(None, map(shutil.which, ("redis-server", "valkey-server"))), None)
    if found is None:
        pytest.skip("no Redis on this machine (Debian's package redis-server)")
    return found


@dataclass
class RedisServer:
    """A server that keeps nothing, at a port that stays its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """What a project's `REDIS_URL` is to be."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        config = f'bind 127.0.0.1\nport {self.port}\nrequirepass {PASSWORD}\nsave ""\n'
        self.process = subprocess.Popen(
            [program(), "-"],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            **account(),
        )
        assert self.process.stdin
        self.process.stdin.write(config.encode())
        self.process.stdin.close()
        deadline = time.monotonic() + PATIENCE
        while not is_up(self.url):
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """Send it a signal; after one that ends it, wait for that."""
        if self.process:
            self.process.send_signal(number)
            if number in (signal.SIGKILL, signal.SIGTERM):
                self.process.wait(PATIENCE)
                self.process = None


@contextmanager
def own_redis() -> Iterator[RedisServer]:
    """A server that has not started yet."""
    program()
    with tempfile.TemporaryDirectory(prefix="redis-", ignore_cleanup_errors=True) as folder:
        for user in filter(None, [account()]):
            os.chown(folder, user["user"], user["group"])
        server = RedisServer(Path(folder))
        try:
            yield server
        finally:
            server.signal(signal.SIGKILL)


def is_up(url: str) -> bool:
    """Whether a server answers at a URL and takes its password."""
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def count_keys(url: str) -> int:
    """How many keys a server has."""
    with redis.Redis.from_url(url) as client:
        return int(client.dbsize())


def baked(database: str = "sqlite") -> Path:
    """A project that has Redis, with its bytecode, to look at and to copy."""

    def bake(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as work:
            template = copy_checkout(Path(work) / "service-template")
            shutil.move(Baker(template, Path(work))(redis="yes", database=database), folder)
        for package in PACKAGES:
            compileall.compile_dir(folder / package, quiet=1)

    return made_once(f"redis_{database}", bake)
