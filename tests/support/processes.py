"""What goes wrong with migrations: projects with many revisions, processes, sessions in the way."""

import asyncio
import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg

from support.database_state import add_revision
from support.projects import INITIAL, Project, environment

# The default suite runs a few of each fault; `FAULTS=long` all of them.
LONG = os.environ.get("FAULTS") == "long"
PATIENCE = 100  # seconds until a process that does not end counts as hanging


def either(short: int, long: int) -> int:
    """How often: by default, and in the long version."""
    return long if LONG else short


def add_table(project: Project, name: str) -> str:
    """Write a revision that creates a table."""
    column = 'sa.Column("id", sa.Integer(), primary_key=True)'
    up, down = f'op.create_table("{name}", {column})', f'op.drop_table("{name}")'
    return add_revision(project, up, downgrade=down)


def start(project: Project, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    """Start plain Alembic and do not wait for it."""
    return subprocess.Popen(
        [project.interpreter, "-m", "alembic", *arguments],
        cwd=project.path,
        env=environment(**project.variables, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def start_process(project: Project, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    """Start it as a process of its own, which gets the signals itself."""
    return start(project, *arguments, REAL_PROCESSES="1", **variables)


def output(process: "subprocess.Popen[str]", seconds: float = PATIENCE) -> str:
    """Wait for a process and return what it printed; no traceback is part of that."""
    hangs = False
    try:
        printed, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        hangs = True
        process.kill()
        printed, _ = process.communicate()
    assert not hangs, f"it was still running after {seconds:g} s: {printed}"
    assert "Traceback" not in printed, printed
    return printed


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """What a process prints, up to the line with `text`; it goes on."""
    printed = ""
    for line in process.stdout or ():
        printed += line
        if text in line:
            return printed
    raise AssertionError(f"it ended without {text!r}: {printed}")


def succeeded(process: "subprocess.Popen[str]", seconds: float = PATIENCE) -> str:
    """What a process printed, which must succeed."""
    printed = output(process, seconds)
    assert process.returncode == 0, printed
    return printed


def failed(process: "subprocess.Popen[str]", seconds: float = PATIENCE) -> str:
    """The last line of a process that must fail: the only one that says so."""
    printed = output(process, seconds)
    assert process.returncode not in (0, None), printed
    said = [line for line in printed.splitlines() if not line.startswith(("INFO", "WARNING"))]
    assert len(said) == 1, printed
    return said[0]


def wait_until(holds: Callable[[], object], seconds: float = 30) -> None:
    """Look again and again."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


class Session:
    """A connection of somebody else to a project's PostgreSQL database."""

    def __init__(self, project: Project, name: str = "reports") -> None:
        self._runner = asyncio.Runner()
        url = project.url.replace("+asyncpg", "")
        settings = {"application_name": name}
        self._connection = self._runner.run(asyncpg.connect(url, server_settings=settings))
        self.pid: int = self._connection.get_server_pid()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.terminate()
        self._runner.close()

    def run(self, *statements: str) -> None:
        """Run one statement after the other."""
        for statement in statements:
            self._runner.run(self._connection.execute(statement))

    def begin(self, statement: str) -> "threading.Thread":
        """Run a statement in another thread; the session is busy until that has ended."""
        thread = threading.Thread(target=self.run, args=(statement,))
        thread.start()
        return thread

    def count(self, query: str) -> int:
        """The number that a query returns."""
        return int(self._runner.run(self._connection.fetchval(query)))

    def somebody_waits(self) -> bool:
        """Whether any session waits for a lock; it is not part of a transaction's snapshot."""
        return bool(self.count("SELECT count(*) FROM pg_locks WHERE NOT granted"))


class Visitor(threading.Thread):
    """A user of the application: the same statement again and again, and how long it took at most."""

    def __init__(self, project: Project, statement: str) -> None:
        super().__init__()
        self.project, self.statement = project, statement
        self.longest = 0.0
        self.visits = 0
        self._leave = threading.Event()

    def run(self) -> None:
        """Visit until told to leave."""
        with Session(self.project, "visitor") as session:
            while not self._leave.is_set():
                begun = time.monotonic()
                session.run(self.statement)
                self.longest = max(self.longest, time.monotonic() - begun)
                self.visits += 1
                time.sleep(0.005)

    def leave(self) -> None:
        """End after the visit that is going on."""
        self._leave.set()
        self.join(PATIENCE)


@contextmanager
def visitors(project: Project, *statements: str) -> Iterator[list[Visitor]]:
    """Visitors during the with-block, one for each statement."""
    here = [Visitor(project, statement) for statement in statements]
    for visitor in here:
        visitor.start()
    wait_until(lambda: all(visitor.visits for visitor in here))
    try:
        yield here
    finally:
        for visitor in here:
            visitor.leave()


def has_table(project: Project, name: str) -> bool:
    """Whether a table is there; `Project.tables` leaves out those of the migrations."""
    catalog = ("sqlite_master", "name") if project.dialect == "sqlite" else ("pg_tables", "tablename")
    return bool(project.sql(f"SELECT 1 FROM {catalog[0]} WHERE {catalog[1]} = '{name}'"))


def effective(project: Project) -> list[str]:
    """Revisions that the history says are applied, each as often as it says so."""
    if not has_table(project, "alembic_history"):
        return []
    applied: list[str] = []
    query = "SELECT revision, direction FROM alembic_history WHERE outcome = 'done' ORDER BY id"
    for revision, direction in project.sql(query):
        if direction == "downgrade":
            applied.remove(revision)
        else:
            applied.append(revision)
    return applied


def applied(project: Project) -> list[str]:
    """Revisions that are applied according to the version table, with all that came before."""
    order = [INITIAL, *(path.stem.rpartition("_")[2] for path in project.revisions())]
    if not has_table(project, "alembic_version"):
        return []
    return [name for version in project.version() for name in order[: order.index(version) + 1]]


def seeded() -> random.Random:
    """Chance that can be had again: `FAULTS_SEED` is what a failing test printed."""
    seed = os.environ.get("FAULTS_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"FAULTS_SEED={seed}")
    return random.Random(seed)  # noqa: S311 - no secret


def pids(text: str) -> set[int]:
    """Processes of the server that a message names."""
    return {int(number) for number in re.findall(r"process (\d+)", text)}
