"""What a database holds before and after a command, and revisions to run on it."""

import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.projects import INITIAL, Project, ok
from support.servers import bindir

HISTORY = "alembic_history"

REVISION = '''\
"""{name}"""

import sqlalchemy as sa
from alembic import op

revision = {name!r}
down_revision = {after!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


def write_revision(
    project: Project,
    name: str,
    *upgrade: str,
    after: str | tuple[str, ...] | None = INITIAL,
    downgrade: str = "pass",
) -> Path:
    """Write a revision that is called `name`, past the commands that would take half a second."""
    lines = [line for statement in upgrade or ("pass",) for line in statement.splitlines()]
    text = REVISION.format(
        name=name,
        after=after,
        upgrade="\n    ".join(lines),
        downgrade=downgrade,
    )
    return project.write(f"alembic/versions/20260102_0000_{name}.py", text)


UPGRADE_EACH = """
import sys
from alembic import command
from alembic.util import CommandError
from dbkit.config import alembic_config
for name in sys.argv[1:]:
    try:
        command.upgrade(alembic_config(), name)
    except CommandError as error:
        print(f"{name}: {error}")
"""


def failures(project: Project, upgrades: Mapping[str, str]) -> dict[str, str]:
    """Try revisions that all come after the first one, in one process; return the line of each failure."""
    for name, upgrade in upgrades.items():
        write_revision(project, name, *upgrade.splitlines())
    lines = ok(project.python("-c", UPGRADE_EACH, *upgrades)).splitlines()
    found = (line.partition(": ") for line in lines)
    return {name: text for name, _, text in found if name in upgrades}


def add_revision(project: Project, *upgrade: str, downgrade: str = "pass") -> str:
    """Write a revision that comes after all others; returns its name, `step01` for the first."""
    number = len(project.revisions()) + 1
    name, before = f"step{number:02}", f"step{number - 1:02}" if number > 1 else INITIAL
    write_revision(project, name, *upgrade, after=before, downgrade=downgrade)
    return name


@cache
def pg_dump() -> tuple[str, ...]:
    """The command; it prints a random key unless it is told one."""
    folder = bindir()
    found = shutil.which("pg_dump", path=folder and str(folder)) or shutil.which("pg_dump")
    if found is None:
        pytest.skip("no pg_dump on this machine")
    help_text = subprocess.run([found, "--help"], capture_output=True, text=True, check=True).stdout
    return (found, "--restrict-key=fixed") if "--restrict-key" in help_text else (found,)


def dump(project: Project, *, all_of_it: bool = False) -> str:
    """Schema, rows and version of the project's database; its history only if asked for."""
    if project.dialect == "postgresql":
        url = project.url.replace("+asyncpg", "")
        leave_out = () if all_of_it else (f"--exclude-table={HISTORY}*",)
        command = [*pg_dump(), *leave_out, "--dbname", url]
        result = subprocess.run(command, capture_output=True, encoding="utf-8")
        assert result.returncode == 0, result.stderr
        return result.stdout
    connection = sqlite3.connect(project.path / project.url.partition("///")[2])
    try:
        statements = list(connection.iterdump())
    finally:
        connection.close()
    return "\n".join(text for text in statements if all_of_it or HISTORY not in text)


COLUMNS = (
    *("id", "run_id", "revision", "down_revision", "direction", "started_at", "duration", "lock_wait"),
    *("locks_held", "retries", "outcome", "error", "executed_by", "host", "environment", "app_version"),
    "checksum",
)
# What the table of an older kit lacks.
ADDED = ("fingerprint_before", "fingerprint_after", "picture")


def has_history(project: Project) -> bool:
    """Whether there is the table."""
    catalog = "sqlite_master WHERE name" if project.dialect == "sqlite" else "pg_tables WHERE tablename"
    return bool(project.sql(f"SELECT 1 FROM {catalog} = '{HISTORY}'"))


def history(project: Project) -> list[dict[str, Any]]:
    """The rows of the history, the oldest first; none where it is missing."""
    if not has_history(project):
        return []
    rows = project.sql(f"SELECT {', '.join(COLUMNS)} FROM {HISTORY} ORDER BY id")
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def forget_columns(project: Project) -> None:
    """Make the table that of an older kit."""
    for name in ADDED:
        project.sql(f"ALTER TABLE alembic_history DROP COLUMN {name}")


def restricted(project: Project) -> str:
    """The URL of a role that may migrate, and owns neither the tables that are there nor the database."""
    role = f"migrator_{project.url.rpartition('/')[2]}"
    project.script(
        f"CREATE ROLE {role} LOGIN PASSWORD 'm'; GRANT ALL ON SCHEMA public TO {role};"
        f"GRANT ALL ON alembic_version, alembic_history, alembic_history_id_seq TO {role}"
    )
    return f"postgresql://{role}:m@{project.url.split('@')[1]}"
