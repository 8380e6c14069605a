"""The example resource under load by `wrk`, beside a plain FastAPI application and one by hand.

One worker each, on one database, in turn. The server's processor time for a request stands beside the
requests a second, because a busy machine changes it less.
"""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import UUID

import psutil

from support.projects import Project, ok
from support.servers import PostgresServer
from support.services import start

ROWS = 10_000
SECONDS = 3  # of each run
CONNECTIONS = (1, 16, 64)
LEAST, MOST, OF_BY_HAND = (
    0.85,
    1.5,
    0.5,
)  # requests a second of the plain one's, its p99, and of the one by hand
FIRST = UUID(int=1)
FILL = f"""
INSERT INTO users (id, email, name, version)
SELECT lpad(to_hex(n), 32, '0')::uuid, n || '@example.com', 'user ' || n, 1
FROM generate_series(1, {ROWS}) AS n;
ANALYZE users;
"""
CREATE = """
math.randomseed(os.time() + tonumber(tostring({}):sub(8)))
local run, n = math.random(1, 2^40), 0
request = function()
  n = n + 1
  local body = string.format('{"email": "%d-%d@example.com", "name": "Somebody"}', run, n)
  return wrk.format("POST", "/users", {["Content-Type"] = "application/json"}, body)
end
"""


@dataclass(frozen=True)
class Load:
    """What one run of `wrk` found: requests a second, p99 in ms, processor time for a request in µs."""

    rate: float
    p99: float
    cpu: float


@dataclass(frozen=True)
class Served:
    """An application that answers at `address`."""

    process: psutil.Process
    address: str

    def load(self, path: str, connections: int, *options: str) -> Load:
        """Ask for `path` as fast as it answers."""
        before = self._processor_seconds()
        wrk = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", *options, self.address + path]
        said = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            sys.exit(f"{' '.join(wrk)} had errors:\n{said}")
        requests, rate = (
            float(re.findall(words, said)[0]) for words in (r"(\d+) requests in", r"sec: +([\d.]+)")
        )
        p99, unit = re.findall(r"99% +([\d.]+)(us|ms|s)", said)[0]
        cpu = (self._processor_seconds() - before) / requests * 1e6
        return Load(rate, float(p99) * {"us": 0.001, "ms": 1, "s": 1000}[unit], cpu)

    def _processor_seconds(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system


def service_table(baked: Path, folder: Path, server: PostgresServer, runs: int) -> Iterator[str]:
    """Measure, and give the lines of the table."""
    if shutil.which("wrk") is None:
        yield "\nThis machine has no `wrk`: the service is not measured."
        return
    project = Project.adopt(baked, folder / "served", server.create_database())
    ok(project.python("-m", "dbkit", "migrate"))
    server.sql(FILL, project.url.rpartition("/")[2])
    script = folder / "create.lua"
    script.write_text(CREATE, "utf-8")
    cases = {
        "health": ("/health", ()),
        "read one": (f"/users/{FIRST}", ()),
        "list 50": ("/users?limit=50", ()),
        "create": ("/users", ("-s", str(script))),
    }
    yield f"\nOne worker each, `wrk` for {SECONDS} s, medians of {runs} runs: requests a second (p99).\n"
    yield "| | connections | here | plain FastAPI | by hand | of plain | p99 | of by hand | processor time |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    with ExitStack() as stack:
        applications = _serve(project, folder, stack)
        for title, (path, options) in cases.items():
            for connections in CONNECTIONS:
                taken: list[list[Load]] = [[] for _ in applications]
                for number in range(runs):
                    for index in sorted(range(len(taken)), reverse=bool(number % 2)):
                        taken[index].append(applications[index].load(path, connections, *options))
                yield _row(title, connections, *(_median(each) for each in taken))


def _serve(project: Project, folder: Path, stack: ExitStack) -> list[Served]:
    """Start all three, as they run in production."""
    root = Path(__file__).resolve().parents[1]
    users = {"DATABASE_URL": project.url, "ENVIRONMENT": "production"}
    served = []
    for number, name in enumerate(("app.main:app", "plain:app", "by_hand:app")):
        options = [] if number == 0 else ["--app-dir", str(root / "benchmarks" / "apps")]
        process, address = start(project, folder / f"log{number}", name, *options, **users)
        stack.callback(process.wait)
        stack.callback(process.send_signal, signal.SIGINT)
        served.append(Served(psutil.Process(process.pid), address))
    return served


def _median(loads: list[Load]) -> Load:
    return Load(*(median(getattr(each, name) for each in loads) for name in ("rate", "p99", "cpu")))


def _row(title: str, connections: int, ours: Load, plain: Load, by_hand: Load) -> str:
    def marked(found: float, holds: bool) -> str:
        return f"{found:.2f}" if holds else f"**{found:.2f}**"

    def shown(load: Load) -> str:
        return f"{load.rate:,.0f} ({load.p99:.1f} ms)"

    cells = (
        title,
        str(connections),
        *(shown(load) for load in (ours, plain, by_hand)),
        marked(ours.rate / plain.rate, ours.rate / plain.rate >= LEAST),
        marked(ours.p99 / plain.p99, ours.p99 / plain.p99 <= MOST),
        marked(ours.rate / by_hand.rate, ours.rate / by_hand.rate >= OF_BY_HAND),
        f"{ours.cpu:.0f} / {plain.cpu:.0f} / {by_hand.cpu:.0f} µs",
    )
    return f"| {' | '.join(cells)} |"
