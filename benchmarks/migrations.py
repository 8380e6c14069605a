"""`make migrate` of a baked project against Alembic's own async template, on the same revisions."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Comparison, Side, run, users_environment
from benchmarks.revisions import model_source, write_revisions
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
        """What `make migrate` runs, and `alembic upgrade head`; both are to run `upgrades` revisions."""

        def side(command: list[str], folder: Path, url: str, line: str) -> Side:
            return Side(
                [sys.executable, "-m", *command],
                folder,
                users_environment(),
                prepare=lambda: self.empty(url) if from_base else None,
                proof=lambda said: "INFO" in said and said.count(line) == upgrades,
            )

        return (
            side(["dbkit", "migrate"], self.project.path, self.project.url, "Ran upgrade"),
            side(["alembic", "upgrade", "head"], self.bare, self.bare_url, "Running upgrade"),
        )

    def add_models(self, count: int) -> None:
        """Give both sides the same `count` models, which bare Alembic imports for every command."""
        (self.project.path / "app" / "models" / "many.py").write_text(model_source(count), "utf-8")
        shutil.copytree(self.project.path / "app", self.bare / "app")
        (self.bare / "app" / "database.py").unlink()
        (self.bare / "dbkit").mkdir()  # of which the models need the names of tables alone
        shutil.copy(self.project.path / "dbkit" / "table_names.py", self.bare / "dbkit")
        _edit(
            self.bare / "alembic" / "env.py",
            "target_metadata = None",
            "from app.models.base import Base\n\ntarget_metadata = Base.metadata",
        )


def nothing_to_do(pair: Pair, models: int = 0) -> Comparison:
    """Compare on databases that are at the head already."""
    pair.initialise()
    if models:
        pair.add_models(models)
    for side in pair.sides(1, from_base=False):
        run(side)
    ours, bare = pair.sides(0, from_base=False)
    title = f"`make migrate` with nothing to do, {pair.database}"
    if models:
        return Comparison(f"{title}, {models:,} models", ours, bare, goal=0.3, repeats=1)
    return Comparison(title, ours, bare, goal=0.9)


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
