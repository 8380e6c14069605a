"""Projects in which a user, root or a user without rights, runs a development server for real."""

import asyncio
import contextlib
import fcntl
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from support.forking import ForkServer
from support.projects import environment
from support.servers import bindir, free_port

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
needs_postgresql = pytest.mark.skipif(bindir() is None, reason="no PostgreSQL on this machine")

# What `python -m dbkit db-up` and `python -m app.database` import.
REQUIREMENTS = (
    "aiosqlite",
    "alembic>=1.20",
    "asyncpg",
    "pydantic-settings",
    "redis>=8",
    "sqlalchemy[asyncio]>=2.1",
)


@dataclass(frozen=True)
class User:
    """Who runs the commands, and with which Python; `options` are keywords of `subprocess.run`."""

    python: str
    home: Path
    options: dict[str, Any] = field(default_factory=dict)
    server: ForkServer | None = None  # runs Python for them

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

    def run(
        self, folder: Path, command: Sequence[str], variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this user: in the fork server where it may be, otherwise as a process."""
        if self.server and command[0] == self.python:
            result = self.server.run(command[1:], folder=folder, environment=variables)
            if result:
                return result
        return subprocess.run(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            **self.options,
        )

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
        shell = {"HOME": str(self.user.home), "PATH": self.user.path} | variables
        result = self.user.run(self.path, command, compiling(**shell))
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

    def database(self, command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`make db-test`, `db-reset` or `db-shell`, without make."""
        return self.run(self.user.python, "-m", "dbkit", f"db-{command}", *arguments, **variables)

    def up_as_before(self) -> subprocess.CompletedProcess[str]:
        """`db-up` as it was when the role of `DATABASE_URL` was the superuser of new data."""
        script = """if True:
            from importlib import import_module

            from dbkit.cli import devserver

            import_module("dbkit.devserver.up").has_published_password = lambda: False
            import_module("dbkit.devserver.start").claim_admin = lambda database: database
            raise SystemExit(devserver.start_database(None))
        """
        result = self.run(self.user.python, "-c", script)
        self.servers.add(self.data)
        return result

    def sql(
        self, statement: str, database: str = "shop_dev", user: str = "app", password: str = ""
    ) -> list[Any]:
        """Run one statement on the server; returns the first column."""

        async def fetch() -> list[Any]:
            connection = await asyncpg.connect(
                host="127.0.0.1",
                port=self.port,
                user=user,
                password=password or self.password,
                database=database,
            )
            try:
                return [row[0] for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def admin_sql(self, statement: str, database: str = "shop_dev") -> list[Any]:
        """Run one statement as the server's superuser."""
        password = (self.path / ".database" / "admin").read_text()
        return self.sql(statement, database, "dbkit_admin", password)

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


def compiling(**variables: str) -> dict[str, str]:
    """The environment of commands whose bytecode is kept, whatever a developer prefers."""
    return environment(PYTHONDONTWRITEBYTECODE="", **variables)


@contextmanager
def ordinary(shared: Path) -> Iterator[User]:
    """A user without rights: ourselves or, if we are root, `nobody` with a Python in `shared`.

    Args:
        shared: a folder of all processes of these tests, which every user can get into.
    """
    options: dict[str, Any] = {}
    python = sys.executable
    with public_folder() as folder:
        home = folder / "home"
        home.mkdir()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
            with (shared / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                python = python_for_all(shared / "venv", options)
        with closing(ForkServer(python, compiling(), options)) as server:
            yield User(python, home, options, server)


def python_for_all(venv: Path, options: dict[str, Any]) -> str:
    """Make an environment that a user without rights can use, if it is not there; return its Python.

    It has no uv beside it, so that it is pip that fetches the package.
    """
    python = str(venv / "bin" / "python")
    if Path(python).exists():
        return python
    base = next(filter(None, (_for_all(path, options) for path in _pythons())), None)
    if base is None:
        pytest.skip("no Python 3.11 or later that an ordinary user can run")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--seed", "--python", base, venv], check=True)
    install = ["pip", "install", "--quiet", "--compile-bytecode", "--python", str(venv), *REQUIREMENTS]
    subprocess.run([*uv, *install], check=True)
    return python


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
