"""A large table that is in use while it is migrated: online operations against Alembic's own."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg

from benchmarks.measuring import users_environment
from benchmarks.revisions import BEGINNING, TEMPLATE
from support.projects import Project
from support.servers import PostgresServer

ROWS = 2_000_000
TABLE = f"""
CREATE TABLE accounts (id integer PRIMARY KEY);
INSERT INTO accounts SELECT generate_series(1, 1000);
CREATE TABLE events (id integer PRIMARY KEY, account_id integer NOT NULL, amount integer NOT NULL, note text);
INSERT INTO events SELECT n, 1 + n % 1000, n % 97, 'note ' || n FROM generate_series(1, {ROWS}) AS n;
CREATE SEQUENCE more_events START {ROWS + 1};
ALTER TABLE events ALTER COLUMN id SET DEFAULT nextval('more_events');
VACUUM (ANALYZE) events, accounts;
"""
COLUMN = 'sa.Column("country", sa.String(2), nullable=True)'
FOREIGN_KEY = '"fk_events_account", "events", "accounts", ["account_id"], ["id"]'
CHECK = '"ck_events_amount", "events", "amount >= 0"'
BEGIN = (
    f'op.add_column("events", {COLUMN})',
    """op.execute("ALTER TABLE events ALTER COLUMN country SET DEFAULT 'DE'")""",
)
ONLINE = [
    ('op.create_index("ix_events_account_id", "events", ["account_id"], postgresql_concurrently=True)',),
    BEGIN,
    ("""op.backfill("events", "country = 'DE'", where="country IS NULL")""",),
    ('op.set_not_null_online("events", "country")',),
    (f"op.create_foreign_key_online({FOREIGN_KEY})",),
    (f"op.create_check_constraint_online({CHECK})",),
]
PLAIN = [
    ('op.create_index("ix_events_account_id", "events", ["account_id"])',),
    BEGIN,
    ("""op.execute("UPDATE events SET country = 'DE' WHERE country IS NULL")""",),
    ('op.alter_column("events", "country", nullable=False)',),
    (f"op.create_foreign_key({FOREIGN_KEY})",),
    (f"op.create_check_constraint({CHECK})",),
]


@dataclass(frozen=True)
class Busy:
    """What one migration did to others, in seconds, and the rows a second of its UPDATE."""

    longest_write: float
    longest_read: float
    filled: float


def write(project: Project, steps: list[tuple[str, ...]]) -> None:
    """Write a revision of each step."""
    previous = BEGINNING
    for number, statements in enumerate(steps):
        revision = f"{number + 1:012x}"
        text = TEMPLATE.format(
            message=f"step {number}",
            revision=revision,
            previous=previous,
            upgrade="\n    ".join(statements),
            downgrade="pass",
        )
        (project.path / "alembic" / "versions" / f"20260102_000{number}_step.py").write_text(text, "utf-8")
        previous = revision


async def _slowest(
    url: str, work: Callable[[asyncpg.Connection], Awaitable[object]], counts: asyncio.Event
) -> float:
    """Work again and again until cancelled; return the seconds of the slowest while it counts."""
    connection = await asyncpg.connect(url)
    slowest = 0.0
    try:
        while True:
            begun = perf_counter()
            await work(connection)
            if counts.is_set():
                slowest = max(slowest, perf_counter() - begun)
            await asyncio.sleep(0.002)
    except asyncio.CancelledError:
        return slowest
    finally:
        await connection.close()


async def _write(connection: asyncpg.Connection) -> None:
    number = random.randint(1, ROWS)
    await connection.execute("UPDATE events SET note = 'written' WHERE id = $1", number)
    await connection.execute("INSERT INTO events (account_id, amount) VALUES (1, 1)")


async def _read(connection: asyncpg.Connection) -> None:
    await connection.fetchrow("SELECT note FROM events WHERE id = $1", random.randint(1, ROWS))


async def _migrate(project: Project) -> tuple[float, float]:
    counts = asyncio.Event()
    others = [asyncio.create_task(_slowest(project.url, work, counts)) for work in (_write, _read)]
    await asyncio.sleep(2)  # a copy of a database is read for the first time, and caches fill
    counts.set()
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=project.path, env=users_environment(), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    for other in others:
        other.cancel()
    longest_write, longest_read = await asyncio.gather(*others)
    if process.returncode != 0:
        sys.exit(f"{project.path.name} did not do what is measured here:\n{said.decode()}")
    return longest_write, longest_read


def measure(project: Project, server: PostgresServer, steps: list[tuple[str, ...]], template: str) -> Busy:
    """Migrate a fresh copy of the large table once."""
    name = project.url.rpartition("/")[2]
    server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    write(project, steps)
    longest_write, longest_read = asyncio.run(_migrate(project))
    [(seconds,)] = project.sql("SELECT duration FROM alembic_history WHERE revision = '000000000003'")
    [(filled,)] = project.sql("SELECT count(*) FROM events WHERE country = 'DE'")
    return Busy(longest_write, longest_read, filled / seconds)


def busy_table(baked: Path, folder: Path, server: PostgresServer, rounds: int) -> list[str]:
    """Lines of a Markdown table: medians of `rounds` migrations of each kind, in turn."""
    template = "large_table"
    server.create_database(template)
    server.sql(TABLE, template)
    projects = {
        kind: Project.adopt(baked, folder / kind, server.create_database()) for kind in ("online", "plain")
    }
    subprocess.run(  # the revision that every project begins with, once for all
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=projects["plain"].path,
        env=users_environment() | {"DATABASE_URL": server.url(template)},
        check=True,
        capture_output=True,
    )
    runs: dict[str, list[Busy]] = {"online": [], "plain": []}
    kinds = [("online", ONLINE), ("plain", PLAIN)]
    for number in range(rounds):
        for kind, steps in kinds[:: -1 if number % 2 else 1]:
            runs[kind].append(measure(projects[kind], server, steps, template))
    return [
        _wait("writer", *([run.longest_write for run in runs[kind]] for kind in ("online", "plain"))),
        _wait("reader", *([run.longest_read for run in runs[kind]] for kind in ("online", "plain"))),
        _rate(*(median(run.filled for run in runs[kind]) for kind in ("online", "plain"))),
    ]


def _wait(who: str, online: list[float], plain: list[float]) -> str:
    ours, bare = median(online), median(plain)
    met = "yes" if ours * 20 <= bare and max(online) < 0.15 else "**NO**"
    changes = "an index, a NOT NULL column, a foreign key and a CHECK"
    title = f"longest wait of a {who} while {ROWS:,} rows get {changes}"
    waited = f"{ours * 1000:.0f} ms, at most {max(online) * 1000:.0f}"
    cells = (title, len(online), waited, f"{bare * 1000:.0f} ms", f"1/{bare / ours:.0f}")
    return f"| {' | '.join(map(str, cells))} | ≤ 1/20, < 150 ms | {met} | |"


def _rate(online: float, plain: float) -> str:
    met = "yes" if online >= plain / 2 else "**NO**"
    title = "rows a second, `op.backfill` against one UPDATE, others at work"
    return f"| {title} | | {online:,.0f} | {plain:,.0f} | {online / plain:.2f} × | ≥ 0.5 × | {met} | |"
