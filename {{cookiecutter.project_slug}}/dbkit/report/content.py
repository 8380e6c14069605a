"""Gathers what the page shows: revisions, where the database stands, runs, drift."""

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic.script import Script
from alembic.util import CommandError, to_tuple
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError

from dbkit.checks import Report, check_deployment
from dbkit.config import EnvironmentOptions, service_name, service_version
from dbkit.connection import DatabaseURL, throwaway_home
from dbkit.errors import DatabaseUnavailable, SettingsError, error_text
from dbkit.history import applied_rows, read_history
from dbkit.locking import reading
from dbkit.revisions import is_known, read_current, scripts, with_ancestors
from dbkit.settings import get_settings

FORESEEN = (CommandError, DatabaseUnavailable, SettingsError, DBAPIError)
APPLIED, PENDING, UNKNOWN = "applied", "pending", "not known"


@dataclass(frozen=True)
class Revision:
    """A revision of this checkout, and what is known of it in the database."""

    name: str
    parents: tuple[str, ...]
    message: str
    file: str
    labels: tuple[str, ...]
    is_head: bool
    is_current: bool
    state: str
    row: Row[Any] | None  # of the history: when it was applied


@dataclass
class Content:
    """What the page shows.

    Args:
        database: its name, without where it is and who uses it.
        unavailable: why the database cannot be read; the rest is then of the files alone.
        strangers: where the database stands, of which this code has no file.
        report: what the deployment gate found.
        unknown: why the gate has not come to its end.
    """

    database: str
    service: str = field(default_factory=lambda: f"{service_name()} {service_version()}")
    environment: str = field(default_factory=lambda: get_settings().environment)
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    revisions: list[Revision] = field(default_factory=list)
    rows: list[Row[Any]] = field(default_factory=list)
    strangers: tuple[str, ...] = ()
    unavailable: str | None = None
    report: Report = field(default_factory=Report)
    unknown: str | None = None

    @property
    def summary(self) -> str:
        """What it shows, on one line."""
        if self.unavailable:
            return f"the database cannot be read, so it shows revisions alone ({self.unavailable})"
        parts = [f"{self.count(APPLIED)} applied", f"{self.count(PENDING)} pending"]
        if self.report.drift is not None:
            parts.append(f"{len(self.report.drift)} drifted")
        return ", ".join(parts) + (f" ({self.unknown})" if self.unknown else "")

    def count(self, state: str) -> int:
        """Return how many revisions are in a state."""
        return sum(revision.state == state for revision in self.revisions)


async def gather(database: DatabaseURL, options: EnvironmentOptions) -> Content:
    """Return what is known; a database that cannot be read leaves the revisions.

    Raises:
        CommandError: a revision file cannot be read.
    """
    content = Content(f"{database.dialect}, {database.name_to_type}")
    source = database.for_reading()
    current: tuple[str, ...] | None = None
    try:
        async with reading(source) as connection:
            current = await read_current(connection, options)
            content.rows = await connection.run_sync(read_history)
    except FORESEEN as error:
        content.unavailable = _line(error)
    content.revisions = _revisions(current, content.rows)
    if current is not None and content.unavailable is None:
        content.strangers = tuple(name for name in current if not is_known(scripts(), name))
        try:
            with redirect_stdout(sys.stderr):  # what it says of each object
                await check_deployment(database, throwaway_home(), options, content.report)
            content.report.is_complete = True
        except FORESEEN as error:
            content.unknown = _line(error)
    return content


def _line(error: BaseException) -> str:
    return error_text(error) if isinstance(error, DBAPIError) else str(error)


def _revisions(current: tuple[str, ...] | None, rows: list[Row[Any]]) -> list[Revision]:
    """Return all revisions, the newest first; where nobody knows it, none is applied or pending."""
    known = [name for name in current or () if is_known(scripts(), name)]
    applied = with_ancestors(scripts(), known)
    told = applied_rows(rows)
    if len(known) < len(current or ()):  # newer code has migrated the database
        applied |= told.keys()
    heads = set(scripts().get_heads())

    def describe(script: Script) -> Revision:
        name = script.revision
        state = UNKNOWN if current is None else APPLIED if name in applied else PENDING
        before = to_tuple(script.down_revision, default=())
        before += to_tuple(script.dependencies, default=())  # by name or by label
        parents = (scripts().get_revision(one).revision for one in before)
        return Revision(
            name,
            tuple(dict.fromkeys(parents)),
            " ".join((script.doc or "").split()) or "without a message",
            Path(script.path).name,
            tuple(sorted(script.branch_labels)) if name in heads else (),
            name in heads,
            name in known,
            state,
            told.get(name) if state == APPLIED else None,
        )

    return [describe(script) for script in scripts().walk_revisions()]
