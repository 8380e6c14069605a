"""The table `alembic_history`: one row per executed revision (time, user, host, outcome)."""

import getpass
import os
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from uuid import UUID, uuid4

from alembic.runtime.migration import MigrationInfo
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

from dbkit.config import service_version
from dbkit.history.checksum import checksum, file_of

TABLE = "alembic_history"
DONE, FAILED = "done", "failed"

history = Table(
    TABLE,
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("revision", Text, nullable=False),
    Column("down_revision", Text, comment="parent revisions, comma-separated"),
    Column("direction", Text, nullable=False, comment="upgrade, downgrade, stamp or adopt"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("duration", Float, nullable=False, comment="seconds, of the last attempt"),
    Column("lock_wait", Float, nullable=False, comment="seconds, retries included"),
    Column("locks_held", Float, nullable=False, comment="seconds, of the longest transaction"),
    Column("retries", Integer, nullable=False),
    Column("outcome", Text, nullable=False, comment="done or failed"),
    Column("error", Text),
    Column("executed_by", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("app_version", Text, nullable=False),
    Column("checksum", Text, comment="SHA-256 of the revision's file"),
    Column("fingerprint_before", Text, comment="of the schema, in the first row of a run"),
    Column("fingerprint_after", Text, comment="of the schema, in the last row of a run"),
    Column("picture", LargeBinary, comment="of the schema, after the newest run alone"),
)
# Nullable: an older kit, whose table lacks them, goes on writing when a newer one has added them.
ADDED = ("fingerprint_before", "fingerprint_after", "picture")


@dataclass(frozen=True)
class Measurements:
    """Measurements of one revision being applied, reverted or stamped; times in seconds."""

    duration: float = 0.0
    lock_wait: float = 0.0
    locks_held: float = 0.0
    retries: int = 0


@dataclass(frozen=True)
class Author:
    """Who runs the revisions of one command."""

    environment: str
    run_id: UUID = field(default_factory=uuid4)
    adopts: bool = False  # a stamp says what was proved: the revision builds this database

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The columns that are the same for all revisions of the command."""
        return {
            "run_id": self.run_id,
            "executed_by": _user(),
            "host": socket.gethostname(),
            "environment": self.environment,
            "app_version": service_version(),
        }


@cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return str(os.getuid())


def row_of(
    info: MigrationInfo,
    measured: Measurements,
    author: Author,
    outcome: str,
    error: str | None = None,
) -> dict[str, Any]:
    """Return the columns of one executed revision, as `insert(history)` takes them.

    Args:
        info: Alembic's description of the step:
            https://alembic.sqlalchemy.org/en/latest/api/runtime.html#alembic.runtime.migration.MigrationInfo
    """
    columns = author.columns | {
        "started_at": datetime.now(UTC) - timedelta(seconds=measured.duration),
        "duration": measured.duration,
        "lock_wait": measured.lock_wait,
        "locks_held": measured.locks_held,
        "retries": measured.retries,
        "outcome": outcome,
        "error": error,
    }
    if info.is_stamp and author.adopts:
        revision, proved = info.up_revision_id, checksum(file_of(info))
        columns |= {"revision": revision, "direction": "adopt", "checksum": proved}
        return columns | {"down_revision": None}
    if info.is_stamp:
        revision = ", ".join(info.destination_revision_ids) or "base"
        unknown = {"down_revision": None, "checksum": None}
        return columns | unknown | {"revision": revision, "direction": "stamp"}
    return columns | {
        "revision": info.up_revision_id,
        "direction": "upgrade" if info.is_upgrade else "downgrade",
        "down_revision": ", ".join(info.down_revision_ids) or None,
        "checksum": checksum(file_of(info)),
    }
