"""A baked project to work in: its make, its Alembic, its database."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from support.baking import CHECKOUT
from support.commands import ALEMBIC, fork_server, is_python, venv

# What a developer's shell may have set and what must not decide a test.
FOREIGN = re.compile(
    r"DATABASE|^DB_|^PG|^REDIS|^MAKE|^MFLAGS$|^VIRTUAL_ENV$"
    r"|^(ADMIN|CONFIRM|ENVIRONMENT|HOST|JSON|MSG|PORT|PYTHON|REV)$"
)

INITIAL = "5f3a9c1e7b24"  # the revision that every project begins with
# Plugins of the environment of these tests, which a project's own has not: they take two seconds to load.
WITHOUT_PLUGINS = "-p no:schemathesis -p no:hypothesispytest"
NO_SERVER = "postgresql://app:hidden@127.0.0.1:1/dev"
PRODUCT = '''\
"""A model of a test."""

from decimal import Decimal

from sqlalchemy import Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import BaseModel


class Product(BaseModel):
    """Something for sale."""

    name: Mapped[str] = mapped_column(String(80))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
'''


def environment(**variables: str) -> dict[str, str]:
    """The environment without what would steer a project, and with `variables`."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.search(name)}
    # mypy takes most of its time for the libraries, which are the same in every project.
    cache = CHECKOUT / ".cache" / "mypy-baked" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    fixed = {"PYTHONUTF8": "1", "MYPY_CACHE_DIR": str(cache), "PYTEST_ADDOPTS": WITHOUT_PLUGINS}
    return kept | fixed | variables


def copy_or_link(source: str, target: str) -> None:
    """Copy a file, but link what is on the same disk and nothing writes to: bytecode and the kit.

    Python replaces bytecode; `Project.write` replaces a file of the kit.
    """
    if source.endswith(".pyc") or "/dbkit/" in source:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)


@dataclass
class Project:
    """A project in `path` on the database of `url`, which its `.env` names."""

    path: Path
    url: str
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def adopt(cls, baked: Path, path: Path, url: str) -> "Project":
        """Copy a bake to `path` and let it use `url` and the environment of these tests.

        That one has all that a project depends on: an environment of its own for each would
        take most of the suite's time. What makes one is tested in `test_install.py`.
        """
        ignored = shutil.ignore_patterns(".venv")
        shutil.copytree(baked, path, symlinks=True, ignore=ignored, copy_function=copy_or_link)
        (path / ".venv").symlink_to(venv(), target_is_directory=True)
        (path / ".env").write_text(f"DATABASE_URL={url}\n", "utf-8")
        return cls(path, url)

    @property
    def dialect(self) -> str:
        """`postgresql` or `sqlite`."""
        return self.url.partition(":")[0].partition("+")[0]

    @property
    def interpreter(self) -> str:
        """The project's Python."""
        return str(self.path / ".venv" / "bin" / "python")

    def run(
        self, *command: str, folder: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project and return what it did."""
        shell = environment(**self.variables, **(variables or {}))
        server = fork_server(shell) if is_python(command[0]) else None
        if server:
            result = server.run(
                command[1:], folder=folder or self.path, environment=shell, executable=command[0]
            )
            if result:
                return result
        return subprocess.run(
            command,
            cwd=folder or self.path,
            env=shell,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`make`, which takes the environment as it is; `variables` are the shell's."""
        return self.run("make", "--old-file=.venv/.installed", *arguments, variables=variables)

    def alembic(self, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Plain Alembic with the project's configuration, from any folder."""
        ini = str(self.path / "alembic.ini")
        return self.run(self.interpreter, *ALEMBIC, "-c", ini, *arguments, folder=folder)

    def python(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Python in the project's folder."""
        return self.run(self.interpreter, *arguments, variables=variables)

    def revisions(self, slug: str = "") -> list[Path]:
        """The revision files whose name holds `slug`, but the one that every project begins with."""
        files = (self.path / "alembic" / "versions").iterdir()
        named = (file for file in files if file.suffix == ".py" and slug in file.name)
        return sorted(file for file in named if file.name != "20260101_0000_create_users.py")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_nlink > 1:  # other projects have it, too
            path.unlink()
        path.write_text(text, "utf-8")
        return path

    def add_product(self) -> None:
        """A new model, in a folder of its own, registered nowhere."""
        self.write("app/models/shop/product.py", PRODUCT)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the project."""
        text = (self.path / name).read_text("utf-8")
        assert old in text, text
        self.write(name, text.replace(old, new))

    def log(self) -> list[dict[str, Any]]:
        """The rows of the project's history, the oldest first."""
        rows: list[dict[str, Any]] = json.loads(ok(self.make("migration-log", "JSON=1")))
        return rows

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement on the project's database, past all of the project's code."""
        if self.dialect == "sqlite":
            with sqlite3.connect(self.path / self.url.partition("///")[2]) as connection:
                rows = connection.execute(statement).fetchall()
            connection.close()
            return rows

        async def fetch() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def script(self, statements: str) -> None:
        """Run SQL as somebody would who got it in a file, transactions and all."""
        if self.dialect == "sqlite":
            connection = sqlite3.connect(self.path / self.url.partition("///")[2])
            connection.executescript(statements)
            connection.close()
            return

        async def execute() -> None:
            connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
            try:
                await connection.execute(statements)
            finally:
                await connection.close()

        asyncio.run(execute())

    def tables(self) -> set[str]:
        """Names of the tables in the project's database, but the history, which a failure leaves too."""
        if self.dialect == "sqlite":
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        else:
            query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return {name for (name,) in self.sql(query)} - {"alembic_history"}

    def version(self) -> list[str]:
        """What Alembic's table holds."""
        return [row[0] for row in self.sql("SELECT version_num FROM alembic_version")]


def body(revision: Path) -> str:
    """A revision's upgrade."""
    return revision.read_text("utf-8").partition("def upgrade")[2].partition("def downgrade")[0]


def ok(result: subprocess.CompletedProcess[str]) -> str:
    """What a command printed, which must have succeeded."""
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """The last line that a failing command printed before make's own; no traceback is among them."""
    output = result.stdout + result.stderr
    assert result.returncode != 0, output
    assert "Traceback" not in output, output
    for least in (r"make|INFO|WARNING|\s*$", r"make|INFO|\s*$"):
        for stream in (result.stderr, result.stdout):  # Alembic's FAILED: is on the second
            lines = [line for line in stream.splitlines() if not re.match(least, line)]
            if lines:
                return lines[-1]
    raise AssertionError(f"it failed without a word: {output}")


def like_others() -> list[str]:
    """What to put before a command for which permission bits are to count, as they do not for root."""
    if os.geteuid() != 0:
        return []
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if not shutil.which(command[0]) or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("not permitted to give up root's rights")
    return command


def remove_data_elsewhere(project: Path) -> None:
    """Remove what `db-up` keeps outside of a project that PostgreSQL's user cannot enter."""
    state = project / ".database" / "server.json"
    elsewhere = json.loads(state.read_text("utf-8"))["outside"] if state.exists() else None
    if elsewhere:
        shutil.rmtree(elsewhere)
