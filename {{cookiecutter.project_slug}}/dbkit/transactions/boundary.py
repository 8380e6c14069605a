"""A revision does not end its own transaction: the executor commits it, once all is done.

Otherwise the version would say that the revision is applied, and half of it would be missing. What
ends a transaction is noticed where it passes: SQLAlchemy's events and the text of statements. What
goes past both, straight to the driver, SQLite refuses by its authorizer; on PostgreSQL the driver
logs it, and it is found out afterwards.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, event

ENDS_TRANSACTION = re.compile(
    r"(\s|;|--[^\n]*\n|/\*.*?\*/)*"
    r"(COMMIT|END|ABORT|PREPARE\s+TRANSACTION|ROLLBACK(?!\b.*\bTO\b))\b",
    re.IGNORECASE | re.DOTALL,
)
REFUSAL = (
    "a revision does not end its own transaction: what autocommits stands in a "
    "revision of its own, in 'with op.get_context().autocommit_block():'"
)


class MixedTransactionModes(CommandError):
    """A revision uses a transaction and autocommit."""


class TransactionBoundary:
    """Watches one connection while a revision runs on it.

    Attributes:
        is_open: whether a revision may end the transaction now: it is in an autocommit block.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._connection: Connection | None = None
        self._watching = False
        self._ended = False  # as the driver has logged
        self._may_end = False  # autocommit has ended the transaction in which the revision began
        self._refused: MixedTransactionModes | None = None

    def renew(self) -> None:
        """Note that the revision goes on in another transaction, as it does after autocommit."""
        self._may_end = True

    def listen(self, connection: Connection) -> None:
        """Watch all statements, commits and rollbacks of `connection`."""
        self._connection = connection
        event.listen(connection, "commit", self._refuse)
        event.listen(connection, "rollback", self._refuse)
        event.listen(connection, "before_cursor_execute", self._before_statement)
        if connection.dialect.name == "postgresql":
            driver: Any = connection.connection.driver_connection
            driver.add_query_logger(self._on_logged)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Let a revision run, in the with-block.

        Raises:
            MixedTransactionModes: it ended its transaction, or tried to and went on.
        """
        connection = self._connection
        if connection is None:
            raise RuntimeError("listen() comes first")
        self._wait_for_the_log(connection)
        self._refused, self._ended, self._may_end = None, False, False
        self._watching = True
        try:
            with self._staying_open(connection), self._authorizing(connection):
                yield
            self._wait_for_the_log(connection)
        except Exception as error:
            if self._refused is None or self._refused is error:
                raise
            raise self._refused.with_traceback(error.__traceback__) from None
        finally:
            self._watching = False
        if self._refused is not None:
            raise self._refused
        if self._ended and not self._may_end:
            raise MixedTransactionModes(f"{REFUSAL}; what it did before that may stay")

    def _refuse(self, *_connection: Connection) -> None:
        if self._watching and not self.is_open:
            self._refused = MixedTransactionModes(REFUSAL)
            raise self._refused

    def _before_statement(
        self, connection: Connection, _cursor: Any, statement: str, *_rest: Any
    ) -> None:
        if ENDS_TRANSACTION.match(statement):
            self._refuse(connection)

    def _on_logged(self, record: Any) -> None:
        """Take note of what was sent, as asyncpg does in the next turn of its loop.

        https://magicstack.github.io/asyncpg/current/api/index.html#asyncpg.connection.Connection.add_query_logger
        """
        if self._watching and not self.is_open and ENDS_TRANSACTION.match(record.query):
            self._ended = True

    def _wait_for_the_log(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            adapted: Any = connection.connection.dbapi_connection
            adapted.run_async(lambda _driver: asyncio.sleep(0))  # one turn of the loop

    @contextmanager
    def _staying_open(self, connection: Connection) -> Iterator[None]:
        """Refuse what would take the connection away, and its transaction with it."""
        invalidate = connection.invalidate

        def invalidate_if_broken(exception: BaseException | None = None) -> None:
            if exception is None:  # not SQLAlchemy, whose connection to the server broke
                self._refuse()
            invalidate(exception)

        replaced: dict[str, Callable[..., None]] = {
            "close": self._refuse,
            "detach": self._refuse,
            "invalidate": invalidate_if_broken,
        }
        vars(connection).update(replaced)
        try:
            yield
        finally:
            for name in replaced:
                del vars(connection)[name]

    @contextmanager
    def _authorizing(self, connection: Connection) -> Iterator[None]:
        """Let SQLite refuse it; the driver's own `commit()` goes through there, too.

        https://www.sqlite.org/c3ref/set_authorizer.html
        """
        if connection.dialect.name != "sqlite":
            yield
            return

        def authorize(action: int, what: str | None, *_rest: object) -> int:
            if action != sqlite3.SQLITE_TRANSACTION or what == "BEGIN":
                return sqlite3.SQLITE_OK
            self._refused = self._refused or MixedTransactionModes(REFUSAL)
            return sqlite3.SQLITE_DENY

        adapted: Any = connection.connection.dbapi_connection
        adapted.run_async(lambda driver: driver.set_authorizer(authorize))
        try:
            yield
        finally:
            adapted.run_async(lambda driver: driver.set_authorizer(None))
