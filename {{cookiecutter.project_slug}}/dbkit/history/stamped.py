"""Keeps a downgrade from undoing what no revision did in a database: what is only stamped there."""

import shlex
from collections.abc import Iterable
from functools import partial
from typing import Any

from alembic.runtime.migration import MigrationStep, RevisionStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Row

from dbkit.history.storage import read_history
from dbkit.history.table import DONE
from dbkit.revisions import is_known

SHOWN = 3  # names in the refusal


def check_ran_here(
    connection: Connection,
    scripts: ScriptDirectory,
    steps: Iterable[MigrationStep],
    database: str,
    confirm: str,
) -> None:
    """Raise `CommandError` before a downgrade undoes what no revision did in this database.

    A stamp says that tables are there, not who made them: a downgrade behind it drops them.

    Args:
        steps: what is to be done.
        database: the name of the database.
        confirm: that name, if this is meant.
    """
    reverted = [step for step in steps if isinstance(step, RevisionStep) and step.is_downgrade]
    if not reverted or confirm == database:
        return
    ran = _ran_here(read_history(connection), scripts)
    names = [step.revision.revision for step in reverted if step.revision.revision not in ran]
    if not names:
        return
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    wrong = "CONFIRM is not the name of the database. " if confirm else ""
    raise CommandError(
        f"{', '.join(names[:SHOWN])}{more} did not run here: a stamp recorded it last, or "
        f"another tool, and reverting it would drop what others made. {wrong}Nothing was changed; "
        f"if you mean it, type this before the command: CONFIRM={shlex.quote(database)}"
    )


def _ran_here(rows: Iterable[Row[Any]], scripts: ScriptDirectory) -> set[str]:
    """Return the revisions that ran and were not reverted, nor taken back by a stamp below them."""
    ran: set[str] = set()
    for row in rows:
        if row.outcome != DONE:
            continue
        if row.direction == "upgrade":
            ran.add(row.revision)
        elif row.direction == "downgrade":
            ran.discard(row.revision)
        elif row.revision == "base":
            ran.clear()
        else:
            ran -= _later(scripts, filter(partial(is_known, scripts), row.revision.split(", ")))
    return ran


def _later(scripts: ScriptDirectory, names: Iterable[str]) -> set[str]:
    """Return the revisions that come after `names`."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        later = scripts.get_revision(todo.pop()).nextrev - found
        found |= later
        todo += later
    return found
