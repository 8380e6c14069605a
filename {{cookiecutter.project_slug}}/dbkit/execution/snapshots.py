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
from dbkit.schema import Picture, differences, read

log = logging.getLogger("alembic.migrator")
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

    def before(self, connection: Connection) -> None:
        """Take the fingerprint, and log what was changed by hand since the last run."""
        is_retry, self._before = self._before is not None, None
        if self._scope is None or not _try(connection, _add_columns):
            return
        picture = _try(connection, read)
        if picture is not None:
            self._before = self._scope.fingerprint(picture)
            if not is_retry:
                _try(connection, lambda sync: self._compare(sync, picture))

    def after(self, connection: Connection) -> None:
        """Keep both fingerprints and the new picture, unless there was none before."""
        if self._scope is not None and self._before is not None:
            _try(connection, self._keep)

    def _keep(self, connection: Connection) -> None:
        assert self._scope is not None and self._before is not None  # noqa: S101, PT018
        picture = read(connection)
        after = self._scope.fingerprint(picture)
        keep_snapshot(connection, self._run_id, self._before, after, picture)

    def _compare(self, connection: Connection, picture: Picture) -> None:
        assert self._scope is not None and self._before is not None  # noqa: S101, PT018
        last = find_snapshot(read_history(connection))
        if last is None or last.fingerprint == self._before or not last.is_comparable(self._before):
            return
        stored = read_picture(connection, last)
        if stored is None:
            return
        changed = differences(self._scope.filter(stored), self._scope.filter(picture))
        if changed:
            log.warning(_describe([one.key for one in changed], last.date))


def _add_columns(connection: Connection) -> bool:
    add_columns(connection)
    return True


def _try(connection: Connection, work: Callable[[Connection], Result]) -> Result | None:
    """Return what `work` does in a transaction; None, with a line in the log, where it fails."""
    inside = connection.in_transaction()
    try:
        with connection.begin_nested() if inside else connection.begin():
            return work(connection)
    except SQLAlchemyError as error:
        log.warning("the history does not keep the schema of this run: %s", error_text(error))
        return None


def _describe(keys: list[str], date: str) -> str:
    count = "1 object" if len(keys) == 1 else f"{len(keys)} objects"
    more = ", …" if len(keys) > SHOWN else ""
    return (
        f"changed by hand since the run of {date}: {count} ({', '.join(keys[:SHOWN])}{more}); "
        "'make migration-check' lists them"
    )
