"""Takes a picture of the schema before and after a run, for the history; no run fails for it."""

import logging
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from dbkit.errors import error_text
from dbkit.history import (
    Scope,
    add_columns,
    find_snapshot,
    keep_snapshot,
    read_history,
    read_picture,
)
from dbkit.locking import find_locker
from dbkit.revisions import is_lock_error
from dbkit.schema import Picture, differences, find_lost_grants, read

log = logging.getLogger("alembic.migrator")
NOT_KEPT = "the history does not keep the schema of this run"
NOT_COMPARED = "what was changed by hand since the last run is not known"
SHOWN = 3  # names in the line about what was changed by hand
Result = TypeVar("Result")


class SnapshotTaker:
    """Called before and after the steps of one run, under the lock, on the run's own connection.

    Args:
        scope: what counts as the service's; None for a database whose history nobody reads.
        run_id: the run's in the history.
    """

    def __init__(self, scope: Scope | None, run_id: UUID) -> None:
        self._scope = scope
        self._run_id = run_id
        self._before: str | None = None  # the fingerprint
        self._picture: Picture | None = None

    def before(self, connection: Connection) -> None:
        """Take the fingerprint, and log what was changed by hand since the last run."""
        is_retry, self._before = self._before is not None, None
        scope = self._scope
        if scope is None or not _try(connection, _add_columns, NOT_KEPT):
            return
        picture = _try(connection, read, NOT_KEPT)
        if picture is None:
            return
        self._picture, self._before = picture, scope.fingerprint(picture)
        before = self._before
        if not is_retry:
            _try(connection, lambda sync: _compare(sync, scope, picture, before), NOT_COMPARED)

    def after(self, connection: Connection) -> None:
        """Keep both fingerprints and the new picture, unless there was none before."""
        scope, before, old = self._scope, self._before, self._picture
        if scope is None or before is None or old is None:
            return

        def keep(connection: Connection) -> None:
            picture = read(connection)
            after = scope.fingerprint(picture)
            keep_snapshot(connection, self._run_id, before, after, picture)
            _warn_of_lost_grants(scope.filter(old), scope.filter(picture))

        _try(connection, keep, NOT_KEPT)


def _add_columns(connection: Connection) -> bool:
    add_columns(connection)
    return True


def _compare(connection: Connection, scope: Scope, picture: Picture, fingerprint: str) -> None:
    """Log what differs between what the last run left and the picture of now."""
    last = find_snapshot(read_history(connection))
    if last is None or last.fingerprint == fingerprint:
        return
    if reason := last.why_not_comparable(picture):
        log.info("%s: %s", NOT_COMPARED, reason)
        return
    stored = read_picture(connection, last)
    if stored is None:
        return
    changed = differences(scope.filter(stored), scope.filter(picture))
    if changed:
        log.warning(_describe([one.key for one in changed], last.date))


def _warn_of_lost_grants(before: Picture, after: Picture) -> None:
    for key, grants in find_lost_grants(before, after).items():
        log.warning(
            "%s has fewer privileges than before this run; if a revision made it anew, this gives "
            "them back: %s",
            key,
            "; ".join(grants),
        )


def _try(
    connection: Connection, work: Callable[[Connection], Result], failed: str
) -> Result | None:
    """Return what `work` does in a transaction; None, with a line in the log, where it fails."""
    inside = connection.in_transaction()
    try:
        with connection.begin_nested() if inside else connection.begin():
            return work(connection)
    except (SQLAlchemyError, OSError) as error:
        reason = error_text(error)
        if connection.dialect.name == "postgresql" and is_lock_error(error):
            with connection.begin():
                reason = f"a table is locked{find_locker(connection)}"
        log.warning("%s: %s; the run goes on", failed, reason)
        return None


def _describe(keys: list[str], date: str) -> str:
    count = "1 object" if len(keys) == 1 else f"{len(keys)} objects"
    more = ", …" if len(keys) > SHOWN else ""
    return (
        f"changed by hand since the run of {date}: {count} ({', '.join(keys[:SHOWN])}{more}); "
        "'make migration-check' lists them"
    )
