"""Two commands side by side: the same number of runs, in turn, so that both meet the same noise."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from support.projects import environment


def nothing() -> None:
    """Prepare nothing."""


def users_environment() -> dict[str, str]:
    """The environment without what makes Python unlike a user's, who lets it keep its bytecode."""
    return {name: value for name, value in environment().items() if not name.startswith("PYTHON")}


@dataclass(frozen=True)
class Side:
    """A command; `prepare` runs before each of its runs, and is not counted."""

    command: list[str]
    folder: Path
    environment: dict[str, str]
    prepare: Callable[[], None] = nothing
    proof: Callable[[str], bool] = bool  # whether its output is that of the work to be measured


@dataclass(frozen=True)
class Comparison:
    """The template's side and the bare one; the goal is a ratio, or a difference in seconds."""

    title: str
    ours: Side
    bare: Side
    goal: float
    kind: Literal["ratio", "difference"] = "ratio"
    repeats: int = 3  # in a round: what is over in a second is short of a busy machine's noise


@dataclass(frozen=True)
class Times:
    """Seconds: by the clock, and of processor time in user and system mode."""

    wall: float
    cpu: float


def run(side: Side) -> Times:
    """Run the command once."""
    side.prepare()
    with tempfile.TemporaryFile() as output:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        status = subprocess.run(
            side.command,
            cwd=side.folder,
            env=side.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ).returncode
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        output.seek(0)
        said = output.read().decode()
    if status != 0 or not side.proof(said):
        sys.exit(f"{' '.join(side.command)} did not do what is measured here (status {status}):\n{said}")
    return Times(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def medians(comparison: Comparison, runs: int) -> tuple[Times, Times]:
    """Return the medians of the two sides' runs, after one of each that leaves its bytecode behind."""
    sides = (comparison.ours, comparison.bare)
    taken: tuple[list[Times], list[Times]] = ([], [])
    for side in sides:
        run(side)
    for number in range(runs):
        for index in (0, 1) if number % 2 else (1, 0):
            taken[index].append(run(sides[index]))
    ours, bare = (Times(median(t.wall for t in times), median(t.cpu for t in times)) for times in taken)
    return ours, bare
