"""Watches that a revision runs in one transaction or in autocommit, never in both.

Autocommit is for a concurrent index, for the operations of `dbkit.operations`, and for everything
in an `autocommit_block`. If ordinary statements stood beside them, a failure would leave half of
the revision behind, and every later run would fail at the half that is there already.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import monotonic
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import PendingRollbackError

from dbkit.transactions.boundary import MixedTransactionModes, TransactionBoundary
from dbkit.transactions.timer import TransactionTimer

# Statements that only read, or concern the session alone.
READS = re.compile(
    r"\s*(SELECT|SHOW|SET|RESET|EXPLAIN|VALUES|TABLE|WITH(?!.*\b(INSERT|UPDATE|DELETE|MERGE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)
SESSION = re.compile(r"\s*(SHOW|SET|RESET)\b", re.IGNORECASE)
CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
# Statements that may have committed something although they failed.
PROCEDURES = re.compile(r"\s*(CALL|DO)\b", re.IGNORECASE)
ADVICE = (
    "autocommit needs a revision of its own: "
    "'make migration-empty MSG=…', and move one of the two there"
)
# https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
XACT_ID = text("SELECT pg_current_xact_id_if_assigned()::text")


class TransactionGuard:
    """Watches the revisions of one run, on one connection.

    Attributes:
        repeatable: whether a failed attempt may be repeated: nothing was committed that could not
            be done once more.
        has_committed: whether this attempt at the revision, or one before, committed something.
    """

    def __init__(self, timer: TransactionTimer) -> None:
        self.timer = timer
        self.boundary = TransactionBoundary()
        self.repeatable = True
        self.has_committed = False
        self._in_revision = False  # upgrade() or downgrade() is being executed
        self._in_block = False
        self._in_operation = False  # one of dbkit.operations, in such a block
        self._block_began = False  # and perhaps ended
        self._lock_timeout: str | None = None  # the session's own, while it is lifted
        self._statement_begun = monotonic()

    @property
    def statement_seconds(self) -> float:
        """Seconds since the last statement began: how long it took, if it has just failed."""
        return monotonic() - self._statement_begun

    @property
    def may_have_committed(self) -> bool:
        """Whether the last revision has committed something, or tried to and failed."""
        return self.has_committed or self._block_began

    def listen(self, connection: Connection) -> None:
        """Watch all statements and commits of `connection`."""
        self.boundary.listen(connection)
        event.listen(connection, "before_cursor_execute", self._before_statement)
        event.listen(connection, "after_cursor_execute", self._after_statement)

    def watch(self, run: Callable[..., None]) -> Callable[..., None]:
        """Return `run`, the upgrade() or downgrade() of one revision, as a watched function."""

        @wraps(run)  # Alembic logs its name
        def watched(**arguments: Any) -> None:
            self._in_revision, self._block_began, self.repeatable = True, False, True
            try:
                with self.boundary.watch():
                    run(**arguments)
            finally:
                self._in_revision = False

        return watched

    @contextmanager
    def autocommit(self, block: Callable[[], Any], connection: Connection | None) -> Iterator[None]:
        """Run Alembic's autocommit `block` if the revision has not written anything before it.

        Args:
            connection: None where SQL is only written down.
        """
        if self._in_revision and connection is not None and connection.scalar(XACT_ID) is not None:
            raise MixedTransactionModes(
                f"statements in the transaction, and then a commit: {ADVICE}"
            )
        self._in_block = self._block_began = self.boundary.is_open = True
        self.timer.end()
        failure: BaseException | None = None
        try:
            with block():
                try:
                    yield
                except BaseException as error:
                    failure = error
                    raise
                finally:
                    if failure is None or isinstance(failure, Exception):  # not told to end
                        self._restore_lock_timeout(connection)
        except PendingRollbackError:  # from Alembic's commit, if the connection is lost
            raise failure or RuntimeError("the connection is lost") from None
        finally:
            self._in_block = self.boundary.is_open = False
        self.boundary.renew()
        self.timer.begin()

    @contextmanager
    def operation(self, block: Callable[[], Any]) -> Iterator[None]:
        """Run an operation that, repeated after a crash, does what is left to do, in autocommit."""
        outer, self._in_operation = self._in_operation, True
        try:
            if self._in_block:
                yield
            else:
                with block():
                    yield
        finally:
            self._in_operation = outer

    def _before_statement(
        self, connection: Connection, _cursor: Any, statement: str, *_rest: Any
    ) -> None:
        self._statement_begun = monotonic()
        if not self._in_block:
            if self._in_revision and self._block_began and not READS.match(statement):
                raise MixedTransactionModes(
                    f"a commit, and then statements in a transaction: {ADVICE}"
                )
            return
        if not SESSION.match(statement):  # the statement before this one may have failed
            self._restore_lock_timeout(connection)
        if not self._in_operation:
            if CONCURRENTLY.search(statement):
                self._lift_lock_timeout(connection)
            if CONCURRENTLY.search(statement) or PROCEDURES.match(statement):
                self.repeatable = False
        self.timer.begin()

    def _after_statement(
        self, connection: Connection, _cursor: Any, statement: str, *_rest: Any
    ) -> None:
        if not self._in_block:
            return
        self.timer.end()
        self.has_committed = self.has_committed or not READS.match(statement)
        if self._in_operation or SESSION.match(statement):
            return
        self.repeatable = False
        self._restore_lock_timeout(connection)

    def _lift_lock_timeout(self, connection: Connection) -> None:
        """Let a CONCURRENTLY that the revision has as SQL wait for open transactions without limit.

        A lock timeout would strike while it waits, and leave an invalid index.
        https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
        """
        self._lock_timeout = connection.exec_driver_sql("SHOW lock_timeout").scalar()
        connection.exec_driver_sql("SET lock_timeout = 0")

    def _restore_lock_timeout(self, connection: Connection | None) -> None:
        if self._lock_timeout is None or connection is None or connection.invalidated:
            return
        value, self._lock_timeout = self._lock_timeout, None
        connection.exec_driver_sql(f"SET lock_timeout = '{value}'")
