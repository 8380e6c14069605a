"""`python -m benchmarks`: prints a table in Markdown; a goal that is missed is marked, and no failure."""

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from benchmarks.bakes import bake_time
from benchmarks.busy import busy_table
from benchmarks.first_answer import first_answer
from benchmarks.instances import many_instances
from benchmarks.keys import insert_table
from benchmarks.measuring import Comparison, medians
from benchmarks.migrations import Pair, many_revisions, nothing_to_do
from benchmarks.scale import many_tables
from benchmarks.service import service_table
from benchmarks.templates import many_and_few_revisions
from support.baking import Baker, copy_checkout
from support.memory import leave_memory, use_memory
from support.servers import PostgresServer, bindir, running_server

FEWEST = 5  # rounds, below which a median says little


def rounds(text: str) -> int:
    """How many, of one run of each long command and of three of each short one."""
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"{number} is too few for a median: {FEWEST} or more")
    return number


def row(comparison: Comparison, runs: int) -> str:
    """Measure, and write a line of the table."""
    ours, bare = medians(comparison, runs)
    if comparison.kind == "ratio":
        found = ours.wall / bare.wall
        said, goal = f"{found:.2f} ×", f"≤ {comparison.goal} ×"
    else:
        found = ours.wall - bare.wall
        said, goal = f"{found:+.2f} s", f"≤ +{comparison.goal} s"
    met = "yes" if found <= comparison.goal else "**NO**"
    cells = (
        comparison.title,
        str(runs),
        f"{ours.wall:.2f} s",
        f"{bare.wall:.2f} s",
        said,
        goal,
        met,
        f"{ours.cpu:.2f} s / {bare.cpu:.2f} s = {ours.cpu / bare.cpu:.2f} ×",
    )
    return f"| {' | '.join(cells)} |"


def durable(server: PostgresServer) -> None:
    """Let commits wait for the disk as a user's server does; other measurements do without."""
    server.settings |= {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


def comparisons(folder: Path, template: Path, baked: Path, stack: ExitStack) -> Iterator[Comparison]:
    """All of them, each made ready when its turn comes; those on PostgreSQL where it is installed."""
    server = stack.enter_context(running_server()) if bindir() else None

    def room(name: str) -> Path:
        path = folder / name
        path.mkdir()
        return path

    if server:
        yield nothing_to_do(Pair.postgresql(baked, room("nothing-postgresql"), server))
    yield nothing_to_do(Pair.sqlite(baked, room("nothing-sqlite")))
    yield nothing_to_do(Pair.sqlite(baked, room("models-sqlite")), models=1000)
    yield bake_time(template, room("bakes"))
    if server:
        yield many_revisions(Pair.postgresql(baked, room("many-postgresql"), server))
        yield many_and_few_revisions(baked, room("templates"), stack)
        for count in (100, 500, 1000):
            yield from many_tables(baked, room(f"tables-{count}"), count, stack)
        yield first_answer(baked, room("first-answer"), server)
        yield many_instances(Pair.postgresql(baked, room("instances-postgresql"), server))
    else:
        print("\nThis machine has no server programs of PostgreSQL: its comparisons are left out.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=rounds, default=os.environ.get("ROUNDS", "7"), help=rounds.__doc__)
    count = parser.parse_args().rounds
    use_memory()
    print(
        f"Medians of runs taken in turn, on {os.cpu_count()} processors; "
        f"Python {platform.python_version()}, Alembic {version('alembic')}, "
        f"SQLAlchemy {version('sqlalchemy')}, cookiecutter {version('cookiecutter')}.\n"
        f"Files are in {tempfile.gettempdir()}, where a new database costs processor time alone.\n\n"
        "| | runs | here | bare | by the clock | goal | met | processor time, user and system |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folder = Path(name).resolve()
        template = copy_checkout(folder / "service-template")
        baked = Baker(template, folder)()
        for comparison in comparisons(folder, template, baked, stack):
            print(row(comparison, count * comparison.repeats), flush=True)
        if bindir():
            for line in service_table(baked, folder, stack.enter_context(running_server()), 3):
                print(line, flush=True)
            leave_memory()
            for line in insert_table(stack.enter_context(running_server(durable)), 5):
                print(line, flush=True)
            server = stack.enter_context(running_server(durable))
            for line in busy_table(baked, folder, server, 3):
                print(line, flush=True)


if __name__ == "__main__":
    main()
