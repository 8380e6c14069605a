"""What ran here before, against the revisions of this code: ahead, unknown, edited."""

from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Row

from dbkit.history import table as history
from dbkit.status import with_ancestors


def in_effect(rows: list[Row[Any]]) -> dict[str, Row[Any]]:
    """The row that tells of each revision that is applied, as far as the history knows."""
    found = {}
    for row in rows:
        if row.outcome == history.DONE:
            found[row.revision] = row
    return {name: row for name, row in found.items() if row.direction != "downgrade"}


def ahead(connection: Connection, current: tuple[str, ...], scripts: ScriptDirectory) -> str | None:
    """If newer code migrated this database, with all of this code's revisions: a line about it.

    Raises:
        CommandError: nobody knows the revision at which the database stands, or this code has
            others that did not run here.
    """
    if all(_knows(scripts, name) for name in current):
        return None
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = [name for name in current if name not in known]
    applied = in_effect(history.read(connection))
    here = {name for name in current if name in known}
    todo = list(unknown)
    complete = True
    while todo:
        row = applied.get(todo.pop())
        if row is None or row.direction == "stamp":  # what came before was not run here
            complete = False
            continue
        before = row.down_revision.split(", ") if row.down_revision else []
        here |= known.intersection(before)
        todo += [name for name in before if name not in known]
    names = ", ".join(unknown)
    strangers = [name for name in unknown if name not in applied]
    if strangers:
        raise CommandError(
            f"the database stands at {', '.join(strangers)}, which neither this code nor its "
            "history knows: is it another application's, or a revision that was never committed? "
            "Nothing was changed"
        )
    if complete and not set(scripts.get_heads()) <= with_ancestors(tuple(here)):
        raise CommandError(
            f"the database stands at {names} of another branch, and revisions of this code never "
            "ran there: merge the branches first. Nothing was changed"
        )
    last = applied[unknown[0]]
    return (
        f"the database is ahead of this code: {names} ran on {_date(last)} "
        f"with version {last.app_version} of the app"
    )


def names_revisions(scripts: ScriptDirectory, destination: str) -> bool:
    """Whether `destination` is `head`, or a revision of this code."""
    try:
        return bool(scripts.get_revisions(destination))
    except CommandError:
        return False


def edited(connection: Connection, scripts: ScriptDirectory) -> list[str]:
    """A line for each revision whose file is not what it was when it ran here.

    A stamp vouches for all that came before it: whoever stamps knows what the database holds.
    """
    since: list[Row[Any]] = []
    for row in history.read(connection):
        since = [] if row.direction == "stamp" and row.outcome == history.DONE else [*since, row]
    lines = []
    for name, row in in_effect(since).items():
        if not _knows(scripts, name):
            continue
        path = Path(scripts.get_revision(name).path)
        if history.checksum(path) != row.checksum:
            lines.append(f"{path.name} was edited after it ran here on {_date(row)}")
    return lines


def check_unedited(
    connection: Connection, scripts: ScriptDirectory, heads: tuple[str, ...]
) -> None:
    """Raise `CommandError` if a revision's file is not what it was when it ran here."""
    lines = edited(connection, scripts)
    if lines:
        raise CommandError(
            f"{'; '.join(lines)}: restore it, and write a new revision for the change; or say that "
            f"it is right as it is: alembic stamp --purge {' '.join(heads) or 'base'}. "
            "Nothing was changed"
        )


def _date(row: Row[Any]) -> str:
    return f"{row.started_at:%Y-%m-%d %H:%M}"


def _knows(scripts: ScriptDirectory, name: str) -> bool:
    try:
        return scripts.get_revision(name).revision == name
    except CommandError:
        return False
