"""What ran here, when, by whom and how it ended: the table `alembic_history`.

A row of success is written in the transaction of its revision and is as true as that; a failure
on a connection of its own, because its revision is rolled back.
"""

import getpass
import hashlib
import os
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from alembic.runtime.migration import MigrationStep, RevisionStep
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Float,
    Identity,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    Uuid,
    insert,
    inspect,
    select,
)
from sqlalchemy.schema import CreateTable

from app import VERSION

TABLE = "alembic_history"
DONE, FAILED = "done", "failed"

history = Table(
    TABLE,
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("revision", Text, nullable=False),
    Column("down_revision", Text, comment="what it needs before it; several with commas"),
    Column("direction", Text, nullable=False, comment="upgrade, downgrade or stamp"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("duration", Float, nullable=False, comment="seconds, of the attempt that counts"),
    Column("lock_wait", Float, nullable=False, comment="seconds, retries included"),
    Column("locks_held", Float, nullable=False, comment="seconds, of its longest transaction"),
    Column("retries", Integer, nullable=False),
    Column("outcome", Text, nullable=False, comment="done or failed"),
    Column("error", Text),
    Column("executed_by", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("app_version", Text, nullable=False),
    Column("checksum", Text, comment="SHA-256 of the revision's file"),
)


@dataclass
class Entry:
    """One revision on its way, or stamped. Times are in seconds."""

    step: MigrationStep
    duration: float
    lock_wait: float
    locks_held: float
    retries: int

    @property
    def revision(self) -> str:
        """The revision that is run, undone or stamped."""
        if isinstance(self.step, RevisionStep):
            return self.step.revision.revision
        return ", ".join(self.step.to_revisions_no_deps) or "base"

    def row(self, outcome: str, error: str | None = None) -> dict[str, Any]:
        """The columns that concern the revision."""
        columns = {
            "revision": self.revision,
            "started_at": datetime.now(UTC) - timedelta(seconds=self.duration),
            "duration": self.duration,
            "lock_wait": self.lock_wait,
            "locks_held": self.locks_held,
            "retries": self.retries,
            "outcome": outcome,
            "error": error,
        }
        if not isinstance(self.step, RevisionStep):
            return columns | {"direction": "stamp", "down_revision": None, "checksum": None}
        script = self.step.revision
        return columns | {
            "direction": "upgrade" if self.step.is_upgrade else "downgrade",
            "down_revision": ", ".join(script._all_down_revisions) or None,
            "checksum": checksum(Path(script.path)),
        }


@dataclass(frozen=True)
class Author:
    """Who runs the revisions of one command."""

    environment: str
    run_id: UUID = field(default_factory=uuid4)

    @cached_property
    def row(self) -> dict[str, Any]:
        """The columns that are the same for all revisions of the command."""
        return {
            "run_id": self.run_id,
            "executed_by": _user(),
            "host": socket.gethostname(),
            "environment": self.environment,
            "app_version": VERSION,
        }


@cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return str(os.getuid())


def checksum(path: Path) -> str:
    """SHA-256 of a revision's text, whatever its line ends."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


def create(connection: Connection) -> None:
    """Create the table where it is missing.

    Looked for first, because a role that may not create any needs no right for one that is there.
    """
    if not inspect(connection).has_table(TABLE):
        connection.execute(CreateTable(history, if_not_exists=True))


def write(connection: Connection, row: dict[str, Any]) -> None:
    """Add a row; part of the transaction that `connection` is in."""
    connection.execute(insert(history), row)


def read(connection: Connection) -> list[Row[Any]]:
    """All rows, the oldest first; none where there is no table yet."""
    if not inspect(connection).has_table(TABLE):
        return []
    return list(connection.execute(select(history).order_by(history.c.id)))
