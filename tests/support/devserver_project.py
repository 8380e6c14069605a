"""Projects in which a user, root or a user without rights, runs a development server for real."""

import asyncio
import contextlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from support.projects import environment
from support.servers import bindir, free_port

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
needs_postgresql = pytest.mark.skipif(bindir() is None, reason="no PostgreSQL on this machine")

# What `python -m dbkit db-up` and `python -m app.database` import.
REQUIREMENTS = ("aiosqlite", "asyncpg", "pydantic-settings", "sqlalchemy[asyncio]>=2.1", "alembic>=1.20")


@dataclass(frozen=True)
class User:
    """Who runs the commands, and with which Python; `options` are keywords of `subprocess.run`."""

    python: str
    home: Path
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hide the Docker of whoever runs these tests, whose engine would come first."""
        docker = self.home / "bin" / "docker"
        docker.parent.mkdir()
        docker.write_text("#!/bin/sh\nexit 1\n", "utf-8")
        docker.chmod(0o755)

    @property
    def path(self) -> str:
        """Their `PATH`."""
        return f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def own(self, *paths: Path) -> None:
        """Give files to them."""
        if self.options:
            for path in paths:
                os.chown(path, self.options["user"], self.options["group"], follow_symlinks=False)


@dataclass
class DevServerProject:
    """A project with a database server of its own."""

    path: Path
    user: User
    password: str = field(default_factory=lambda: secrets.token_hex(12))
    servers: set[Path] = field(default_factory=set)  # their data folders, to end them with

    def write_env(self, port: int, **more: str) -> None:
        """Write a `.env` with comments, quotes and other URLs, which must all stay as they are."""
        url = f"postgresql+asyncpg://app:{self.password}@127.0.0.1:{port}/shop_dev"
        lines = [
            "# Settings",
            f'DATABASE_URL="{url}?application_name=shop"  # the database',
            *(f"{name}={value}" for name, value in more.items()),
        ]
        env = self.path / ".env"
        env.write_text("\n".join(lines) + "\n", "utf-8")
        env.chmod(0o600)
        self.user.own(env)

    @property
    def env(self) -> str:
        """What `.env` holds."""
        return (self.path / ".env").read_text("utf-8")

    @property
    def port(self) -> int:
        """The port of `DATABASE_URL` in `.env`."""
        found = re.search(r"^DATABASE_URL=.*@127\.0\.0\.1:(\d+)/", self.env, re.MULTILINE)
        assert found, self.env
        return int(found[1])

    @property
    def data(self) -> Path:
        """The data folder."""
        home = json.loads((self.path / ".database" / "server.json").read_text())["outside"]
        return Path(home or self.path / ".database") / "data"

    @property
    def pid(self) -> int:
        """The server's process, as its pid file names it."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; none of it may ever show the password."""
        result = subprocess.run(
            command,
            cwd=self.path,
            env=environment(
                **{"HOME": str(self.user.home), "PATH": self.user.path, "PYTHONDONTWRITEBYTECODE": ""}
                | variables
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            **self.user.options,
        )
        assert self.password not in result.stdout + result.stderr
        return result

    def up(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """`make db-up`, without make."""
        result = self.run(self.user.python, "-m", "dbkit", "db-up", **variables)
        with contextlib.suppress(OSError, ValueError, KeyError):
            self.servers.add(self.data)
        return result

    def down(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """`make db-down`, without make."""
        return self.run(self.user.python, "-m", "dbkit", "db-down", **variables)

    def database(self, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`make db-test`, `db-reset` or `db-shell`, without make."""
        return self.run(self.user.python, "-m", "dbkit", f"db-{command}", **variables)

    def sql(self, statement: str, database: str = "shop_dev", password: str = "") -> list[Any]:
        """Run one statement on the server; returns the first column."""

        async def fetch() -> list[Any]:
            connection = await asyncpg.connect(
                host="127.0.0.1",
                port=self.port,
                user="app",
                password=password or self.password,
                database=database,
            )
            try:
                return [row[0] for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def remember(self) -> None:
        """Put something into the database that has to stay."""
        self.sql("CREATE TABLE kept AS SELECT 42 AS answer")

    def remembers(self) -> bool:
        """Whether it is still there."""
        return self.sql("SELECT answer FROM kept") == [42]

    def mark(self) -> str:
        """The mark that the project's code computes."""
        code = "from dbkit.connection.mark import project_mark; print(project_mark())"
        return self.run(self.user.python, "-c", code).stdout.strip()

    def close(self) -> None:
        """End the servers, however they were left, and remove what lies outside the project."""
        for data in self.servers:
            with contextlib.suppress(OSError, ValueError):
                kill((data / "postmaster.pid").read_text())
            if not data.is_relative_to(self.path):
                shutil.rmtree(data.parent, ignore_errors=True)


def kill(pid_file: str) -> None:
    """End the server of a pid file at once, and wait for that."""
    pid = int(pid_file.split()[0])
    os.kill(pid, signal.SIGQUIT)
    for _ in range(500):
        try:
            os.kill(pid, 0)
            if not Path(f"/proc/{pid}/cmdline").read_bytes():
                return  # nobody has taken notice of its end yet
        except OSError:
            return
        time.sleep(0.01)


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that every user can get into, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="workplace-", ignore_cleanup_errors=True) as folder:
        path = Path(folder).resolve()
        path.chmod(0o755)
        yield path


def ordinary(folder: Path) -> User:
    """A user without rights: ourselves or, if we are root, `nobody` with a Python in `folder`.

    That Python has no uv beside it, so that it is pip that fetches the package.
    """
    home = folder / "home"
    home.mkdir()
    if os.geteuid() != 0:
        return User(sys.executable, home)
    user = pwd.getpwnam("nobody")
    options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    os.chown(home, user.pw_uid, user.pw_gid)
    base = next(filter(None, (_for_all(path, options) for path in _pythons())), None)
    if base is None:
        pytest.skip("no Python 3.11 or later that an ordinary user can run")
    uv = [sys.executable, "-m", "uv"]
    venv = folder / "venv"
    subprocess.run([*uv, "venv", "--quiet", "--seed", "--python", base, venv], check=True)
    install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", str(venv), *REQUIREMENTS]
    subprocess.run([*uv, *install], check=True)
    return User(str(venv / "bin" / "python"), home, options)


def _pythons() -> list[str]:
    base = getattr(sys, "_base_executable", sys.executable)
    return [base, *(f"{folder}/python3" for folder in ("/usr/local/bin", "/usr/bin"))]


def _for_all(python: str, options: dict[str, Any]) -> str | None:
    command = [python, "-c", "import ssl, sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        fits = subprocess.run(command, cwd="/", capture_output=True, **options).returncode == 0
    except OSError:
        return None
    return python if fits else None


def adopt(baked: Path, path: Path, user: User) -> DevServerProject:
    """Copy a bake to `path`, to work in it as `user`."""
    shutil.copytree(baked, path, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    (path / ".venv").symlink_to(Path(user.python).parents[1], target_is_directory=True)
    user.own(path, *path.rglob("*"))
    project = DevServerProject(path, user)
    project.write_env(free_port())
    return project


MakeProject = Callable[..., DevServerProject]
