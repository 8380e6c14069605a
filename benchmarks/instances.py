"""Fifty instances that start at once and find nothing to do, against fifty that only look."""

import sys

from benchmarks.measuring import Comparison, Side, run, users_environment
from benchmarks.migrations import Pair

INSTANCES = 50

START = "import asyncio; from dbkit.startup import migrate_if_needed; asyncio.run(migrate_if_needed())"
# Starts a command many times at once; succeeds if each of them does.
SWARM = """
import subprocess, sys
started = [subprocess.Popen(sys.argv[2:], stderr=subprocess.DEVNULL) for _ in range(int(sys.argv[1]))]
sys.exit(any([process.wait() for process in started]))
"""


def many_instances(pair: Pair) -> Comparison:
    """Compare the start of an application that migrates if needed with bare `alembic current`."""
    pair.initialise()
    for side in pair.sides(1, from_base=False):
        run(side)
    swarm = [sys.executable, "-c", SWARM, str(INSTANCES), sys.executable]
    environment = users_environment() | {"PYTHONPATH": str(pair.project.path)}
    return Comparison(
        f"{INSTANCES} instances that start with nothing pending, {pair.database}",
        Side([*swarm, "-c", START], pair.project.path, environment, proof=lambda _said: True),
        Side([*swarm, "-m", "alembic", "current"], pair.bare, users_environment()),
        goal=1.2,
        repeats=1,
    )
