"""`make migrate` of a baked project against Alembic's own async template, on the same revisions."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Comparison, Side, run, users_environment
from benchmarks.revisions import write_revisions
from support.projects import Project
from support.servers import PostgresServer

COUNT = 1000  # revisions that are run from base


@dataclass(frozen=True)
class Pair:
    """A baked project and a bare Alembic folder, with a database each."""

    database: str
    project: Project
    bare: Path
    bare_url: str
    empty: Callable[[str], None]  # empties the database of a URL

    @classmethod
    def postgresql(cls, baked: Path, folder: Path, server: PostgresServer) -> "Pair":
        """On a server that other users of this machine do not use."""

        def empty(url: str) -> None:
            name = url.rpartition("/")[2]  # of letters, digits and _
            server.sql(f"DROP DATABASE IF EXISTS {name}")
            server.create_database(name)

        project = Project.adopt(baked, folder / "project", server.create_database())
        return cls("PostgreSQL", project, folder / "bare", server.create_database(), empty)

    @classmethod
    def sqlite(cls, baked: Path, folder: Path) -> "Pair":
        """On two files."""

        def empty(url: str) -> None:
            Path(url.partition(":///")[2]).unlink(missing_ok=True)

        urls = (f"sqlite:///{folder / name}.db" for name in ("project", "bare"))
        project = Project.adopt(baked, folder / "project", next(urls))
        return cls("SQLite", project, folder / "bare", next(urls), empty)

    def initialise(self, *, transaction_each: bool = False) -> None:
        """Make the bare folder as `alembic init` does, with the URL filled in and the project's revisions."""
        alembic = [sys.executable, "-m", "alembic"]
        self.bare.mkdir()
        subprocess.run(
            [*alembic, "init", "-t", "async", "alembic"], cwd=self.bare, check=True, capture_output=True
        )
        driver = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
        dialect, _, rest = self.bare_url.partition(":")
        url = f"{driver[dialect]}:{rest}".replace("%", "%%")
        _edit(self.bare / "alembic.ini", "driver://user:pass@localhost/dbname", url)
        if transaction_each:
            configure = "context.configure(connection=connection, target_metadata=target_metadata"
            _edit(
                self.bare / "alembic" / "env.py",
                f"{configure})",
                f"{configure}, transaction_per_migration=True)",
            )
        shutil.copytree(
            self.project.path / "alembic" / "versions",
            self.bare / "alembic" / "versions",
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )

    def sides(self, upgrades: int, *, from_base: bool) -> tuple[Side, Side]:
        """`make migrate` and `alembic upgrade head`, which are to run `upgrades` revisions."""

        def side(command: list[str], folder: Path, url: str) -> Side:
            return Side(
                command,
                folder,
                users_environment(),
                prepare=lambda: self.empty(url) if from_base else None,
                proof=lambda said: "Context impl" in said and said.count("Running upgrade") == upgrades,
            )

        make = ["make", "--old-file=.venv/.installed", "migrate"]
        alembic = [sys.executable, "-m", "alembic", "upgrade", "head"]
        return (
            side(make, self.project.path, self.project.url),
            side(alembic, self.bare, self.bare_url),
        )


def nothing_to_do(pair: Pair) -> Comparison:
    """Compare on databases that are at the head already."""
    pair.initialise()
    for side in pair.sides(1, from_base=False):
        run(side)
    ours, bare = pair.sides(0, from_base=False)
    return Comparison(f"`make migrate` with nothing to do, {pair.database}", ours, bare, goal=1.3)


def many_revisions(pair: Pair) -> Comparison:
    """Compare on empty databases, with a transaction for each revision, as the project does on PostgreSQL."""
    write_revisions(pair.project.path / "alembic" / "versions", COUNT)
    pair.initialise(transaction_each=True)
    ours, bare = pair.sides(COUNT + 1, from_base=True)  # and the one that the project begins with
    return Comparison(f"{COUNT:,} revisions from base, {pair.database}", ours, bare, goal=1.3, repeats=1)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{file.name} of this Alembic is another: {old}"
    file.write_text(text.replace(old, new), "utf-8")
