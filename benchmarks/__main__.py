"""`python -m benchmarks`: prints a table in Markdown; a goal that is missed is marked, and no failure."""

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from baking import Baker, copy_checkout
from benchmarks.bakes import bake_time
from benchmarks.measuring import Comparison, medians
from benchmarks.migrations import Pair, many_revisions, nothing_to_do
from servers import bindir, running_server

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


def comparisons(folder: Path, stack: ExitStack) -> Iterator[Comparison]:
    """All of them, each made ready when its turn comes; those on PostgreSQL where it is installed."""
    template = copy_checkout(folder / "service-template")
    baked = Baker(template, folder)()
    server = stack.enter_context(running_server()) if bindir() else None

    def room(name: str) -> Path:
        path = folder / name
        path.mkdir()
        return path

    if server:
        yield nothing_to_do(Pair.postgresql(baked, room("nothing-postgresql"), server))
    yield nothing_to_do(Pair.sqlite(baked, room("nothing-sqlite")))
    yield bake_time(template, room("bakes"))
    if server:
        yield many_revisions(Pair.postgresql(baked, room("many-postgresql"), server))
    else:
        print("\nThis machine has no server programs of PostgreSQL: its comparisons are left out.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=rounds, default=os.environ.get("ROUNDS", "7"), help=rounds.__doc__)
    count = parser.parse_args().rounds
    print(
        f"Medians of runs taken in turn, on {os.cpu_count()} processors; "
        f"Python {platform.python_version()}, Alembic {version('alembic')}, "
        f"SQLAlchemy {version('sqlalchemy')}, cookiecutter {version('cookiecutter')}.\n\n"
        "| | runs | here | bare | by the clock | goal | met | processor time, user and system |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        for comparison in comparisons(Path(folder).resolve(), stack):
            print(row(comparison, count * comparison.repeats), flush=True)


if __name__ == "__main__":
    main()
