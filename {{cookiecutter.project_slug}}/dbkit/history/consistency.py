"""Compares applied revisions with this checkout: database ahead, unknown revision, edited file."""

from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Row

from dbkit.history.checksum import checksum
from dbkit.history.storage import read_history
from dbkit.history.table import DONE
from dbkit.revisions import MigrationError, is_known, known_revisions, with_ancestors
from dbkit.sql_files import find_names


class UnknownRevision(MigrationError):
    """The database stands at a revision that neither this code nor its history knows."""


def applied_rows(rows: list[Row[Any]]) -> dict[str, Row[Any]]:
    """Return the row of each revision that is applied, as far as the history knows."""
    last = {row.revision: row for row in rows if row.outcome == DONE}
    return {name: row for name, row in last.items() if row.direction != "downgrade"}


def check_ahead(
    connection: Connection, current: tuple[str, ...], scripts: ScriptDirectory
) -> str | None:
    """Return a line about a database that newer code migrated, with all of this code's revisions.

    Returns:
        None if this code knows the revisions `current`, at which the database stands.

    Raises:
        CommandError: this code has revisions that did not run there; or, an `UnknownRevision`,
            nobody knows the one at which the database stands.
    """
    if all(is_known(scripts, name) for name in current):
        return None
    known = known_revisions(scripts)
    unknown = [name for name in current if name not in known]
    applied = applied_rows(read_history(connection))
    reached = {name for name in current if name in known}
    todo = list(unknown)
    complete = True
    while todo:
        row = applied.get(todo.pop())
        if row is None or row.direction == "stamp":  # what came before did not run there
            complete = False
            continue
        parents = row.down_revision.split(", ") if row.down_revision else []
        reached |= known.intersection(parents)
        todo += [name for name in parents if name not in known]
    names = ", ".join(unknown)
    strangers = [name for name in unknown if name not in applied]
    if strangers:
        raise UnknownRevision(
            f"the database stands at {', '.join(strangers)}, which neither this code nor its "
            "history knows: is it another application's, or a revision that was never committed? "
            "Nothing was changed"
        )
    if complete and not set(scripts.get_heads()) <= with_ancestors(scripts, reached):
        raise CommandError(
            f"the database stands at {names} of another branch, and revisions of this code never "
            "ran there: merge the branches first. Nothing was changed"
        )
    last = applied[unknown[0]]
    return (
        f"the database is ahead of this code: {names} ran on {_date(last)} "
        f"with version {last.app_version} of the app"
    )


def find_edited(
    connection: Connection, scripts: ScriptDirectory, heads: tuple[str, ...]
) -> str | None:
    """Name the revisions whose files are not what they were when they ran there, with advice.

    A stamp vouches for all that came before it: whoever stamps knows what the database holds.
    """
    since: list[Row[Any]] = []
    for row in read_history(connection):
        since = [] if row.direction == "stamp" and row.outcome == DONE else [*since, row]
    lines = []
    for name, row in applied_rows(since).items():
        if not is_known(scripts, name):
            continue
        path = Path(scripts.get_revision(name).path)
        if checksum(path) != row.checksum:
            names = " or ".join([path.name, *find_names(path.read_text(encoding="utf-8"))])
            happened = "was adopted" if row.direction == "adopt" else "ran"
            lines.append(f"{names} was edited after it {happened} here on {_date(row)}")
    if not lines:
        return None
    return (
        f"{'; '.join(lines)}: restore it, and write a new revision for the change; or say that "
        f"it is right as it is: alembic stamp --purge {' '.join(heads) or 'base'}"
    )


def check_unedited(
    connection: Connection, scripts: ScriptDirectory, heads: tuple[str, ...]
) -> None:
    """Raise `CommandError` if a revision's file is not what it was when it ran there."""
    if edited := find_edited(connection, scripts, heads):
        raise CommandError(f"{edited}. Nothing was changed")


def _date(row: Row[Any]) -> str:
    return f"{row.started_at:%Y-%m-%d %H:%M}"
