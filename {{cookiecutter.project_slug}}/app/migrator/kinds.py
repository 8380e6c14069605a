"""A revision works in one transaction, or commits as it goes: never both.

What commits as it goes is a concurrent index, the operations of `online.py`, and whatever stands
in an `autocommit_block`. With ordinary statements beside it, a failure would leave half of the
revision behind, and running it again would fail for ever at the half that is there.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import PendingRollbackError

from app.migrator.lock_timeout import LockTimeout
from app.migrator.transactions import Transactions

# What only reads, or concerns the session alone.
READS = re.compile(
    r"\s*(SELECT|SHOW|SET|RESET|EXPLAIN|VALUES|TABLE|WITH(?!.*\b(INSERT|UPDATE|DELETE|MERGE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)
SESSION = re.compile(r"\s*(SHOW|SET|RESET)\b", re.IGNORECASE)
CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
# What may have committed something although it failed.
IN_STEPS = re.compile(r"\s*(CALL|DO)\b", re.IGNORECASE)
ENDS = re.compile(r"\s*(COMMIT|END|ABORT|ROLLBACK(?!.*\bTO\b))\b", re.IGNORECASE)
ADVICE = (
    "what commits as it goes needs a revision of its own: "
    "'make migration-empty MSG=…', and move one of the two there"
)


class Mixed(CommandError):
    """A revision is of both kinds."""


class Kinds:
    """What the revision that is being run has done so far, in one attempt to run it."""

    def __init__(self, transactions: Transactions, *, remains: bool = False) -> None:
        self.transactions = transactions  # measured, the short ones of a block too
        self.running = False  # its upgrade() or downgrade() is being executed
        self.inside = False  # an autocommit block
        self.in_operation = False  # of ours, in such a block
        self.committed = False  # a block has begun, and perhaps ended
        self.remains = remains  # something that this attempt or one before did in a block
        self.repeatable = True  # nothing was committed that could not be done once more
        self.lock_timeout = LockTimeout()

    def install(self, context: MigrationContext) -> None:
        """Watch over the revisions that `context` is going to run."""
        if not context.as_sql and context.connection is not None:
            event.listen(context.connection, "commit", self._commit)
            event.listen(context.connection, "before_cursor_execute", self._before)
            event.listen(context.connection, "after_cursor_execute", self._after)
        if context.dialect.name == "sqlite":  # all of a run is one transaction, and stays one
            context.autocommit_block = self._as_it_is  # type: ignore[method-assign] # no hook
            return
        alembics_block = context.autocommit_block

        @contextmanager
        def autocommit_block() -> Iterator[None]:
            if self.running and not context.as_sql and _has_written(context.connection):
                raise Mixed(f"statements in the transaction, and then a commit: {ADVICE}")
            self.inside = self.committed = True
            self.transactions.end()
            failed: BaseException | None = None
            try:
                with alembics_block():
                    try:
                        yield
                    except BaseException as error:
                        failed = error
                        raise
                    finally:
                        if failed is None or isinstance(failed, Exception):  # not told to end
                            self.lock_timeout.restore(context.connection)
            except PendingRollbackError:  # Alembic's commit, of a connection that is lost
                raise failed or RuntimeError("the connection is lost") from None
            finally:
                self.inside = False
            self.transactions.begin()

        context.autocommit_block = autocommit_block  # type: ignore[method-assign] # no hook

    @contextmanager
    def _as_it_is(self) -> Iterator[None]:
        yield

    def watched(self, run: Callable[..., None]) -> Callable[..., None]:
        """`run`, the upgrade() or downgrade() of one revision, watched over."""

        @wraps(run)  # Alembic logs its name
        def watched(**arguments: Any) -> None:
            self.running, self.committed, self.repeatable = True, False, True
            try:
                run(**arguments)
            finally:
                self.running = False

        return watched

    def _commit(self, _connection: Connection) -> None:
        if self.running and not self.inside:
            raise Mixed(
                "a revision does not end its own transaction: what commits as it goes stands in a "
                "revision of its own, in 'with op.get_context().autocommit_block():'"
            )

    def _before(self, connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not self.inside:
            if ENDS.match(statement):
                self._commit(connection)
            if self.running and self.committed and not READS.match(statement):
                raise Mixed(f"a commit, and then statements in a transaction: {ADVICE}")
            return
        if not SESSION.match(statement):  # of a statement that failed
            self.lock_timeout.restore(connection)
        if not self.in_operation:
            if CONCURRENTLY.search(statement):  # a lock timeout would leave an invalid index
                self.lock_timeout.lift(connection)
            if CONCURRENTLY.search(statement) or IN_STEPS.match(statement):
                self.repeatable = False
        self.transactions.begin()

    def _after(self, connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not self.inside:
            return
        self.transactions.end()
        self.remains = self.remains or not READS.match(statement)
        if self.in_operation or SESSION.match(statement):
            return
        self.repeatable = False
        self.lock_timeout.restore(connection)

    @contextmanager
    def operation(self, context: MigrationContext) -> Iterator[None]:
        """Autocommit for an operation that, run again after a crash, does what is left to do."""
        around, self.in_operation = self.in_operation, True
        try:
            if self.inside:
                yield
            else:
                with context.autocommit_block():
                    yield
        finally:
            self.in_operation = around


@contextmanager
def operation(context: MigrationContext) -> Iterator[None]:
    """See `Kinds.operation`; for a context that Alembic configured with `kinds`."""
    with context.opts["kinds"].operation(context):
        yield


def _has_written(connection: Connection | None) -> bool:
    """Whether the transaction has changed anything: it has got a number then.

    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
    """
    number = text("SELECT pg_current_xact_id_if_assigned()::text")
    return connection is not None and connection.scalar(number) is not None
