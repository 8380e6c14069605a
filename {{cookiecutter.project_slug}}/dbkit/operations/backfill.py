"""`op.backfill`: fills many rows of a table that is in use, one batch and one commit at a time."""

import asyncio
import time

from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from dbkit.errors import driver_error, sqlstate
from dbkit.operations.backfill_sql import PASSES, STILL_TRUE, batch_statement, first_key, script
from dbkit.operations.sql import (
    execute,
    is_offline,
    log,
    quote,
    quote_table,
    session_setting,
    works_online,
)
from dbkit.transactions import autocommit_operation

BATCH = 2000  # rows
PAUSE = 0.0  # seconds
INVALID_TEXT_REPRESENTATION = "22P02"


@Operations.register_operation("backfill")
class Backfill(MigrateOperation):
    """Registers `op.backfill`."""

    @classmethod
    def backfill(
        cls,
        operations: Operations,
        table_name: str,
        set_: str,
        *,
        where: str,
        key: str = "id",
        schema: str | None = None,
        batch: int = BATCH,
        pause: float = PAUSE,
    ) -> None:
        """Fill the rows of a table that fulfil a condition, while others read and write.

        Locks: the rows of one batch, until they are committed some milliseconds later.
        https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-ROWS

        Args:
            set_: what `UPDATE … SET` says, as SQL: `"country = 'DE', region = 'EU'"`.
            where: the rows to fill, as SQL. It must be false for a row that is filled: that makes
                the operation idempotent, since a later attempt finds what is left.
            key: a column with an index, never NULL, that gives the order of the batches. Rows that
                share a value are filled together.
            batch: the number of rows in one transaction, and those that share its last key.
            pause: seconds between two batches.

        Raises:
            CommandError: the condition stays true for a row, or other rows come to fulfil it
                again and again.
        """
        table, key = quote_table(operations, table_name, schema), quote(operations, key)
        if not works_online(operations):
            _fill_at_once(operations, table, set_, where)
            return
        # Every batch waits until its commit is on disk: without that WAL would pile up, and delay
        # the commits of everybody else.
        with autocommit_operation(operations.migration_context):
            if is_offline(operations):
                # The timeout would count for the whole script, not for a batch.
                with session_setting(operations, "statement_timeout", "0"):
                    execute(operations, script(table, set_, where, key, batch, pause))
                return
            first = first_key(table, key, where)
            statement = batch_statement(table, set_, where, key, batch, "$1")
            try:
                _fill(operations, table, first, statement, pause)
            except DBAPIError as error:
                is_ours = sqlstate(error) == INVALID_TEXT_REPRESENTATION
                if is_ours and STILL_TRUE in getattr(driver_error(error), "message", ""):
                    raise _still_true(table, where) from None
                raise


def _fill(operations: Operations, table: str, first: str, statement: str, pause: float) -> None:
    from tqdm import tqdm  # only a backfill waits for this import

    begun, total = time.monotonic(), 0
    estimate = "SELECT nullif(reltuples, -1)::bigint FROM pg_class WHERE oid = to_regclass($1)"
    rows = next((row[0] for row in execute(operations, estimate, table)), None)
    with tqdm(desc=f"backfill of {table}", total=rows, unit=" rows", disable=None) as bar:
        # Rows that others write behind the key meanwhile are found by the next pass.
        passes = 0
        while start := execute(operations, first):
            if passes == PASSES:
                raise CommandError(
                    f"backfill of {table}: {total} rows filled, and each time others fulfil the "
                    "condition: is there code left that writes such rows, or a trigger?"
                )
            passes += 1
            [(key,)] = start
            filled = 1
            while filled:
                [(filled, key)] = execute(operations, statement, key)
                bar.update(filled)
                total += filled
                await_only(asyncio.sleep(pause))  # lets other tasks of the application's loop run
    log.info("backfill of %s: %s rows in %.1f s", table, total, time.monotonic() - begun)


def _fill_at_once(operations: Operations, table: str, set_: str, where: str) -> None:
    """Fill all rows by one UPDATE: on SQLite the whole run is one transaction anyway."""
    execute(operations, f"UPDATE {table} SET {set_} WHERE ({where})")
    if not is_offline(operations) and execute(
        operations, f"SELECT 1 FROM {table} WHERE ({where}) LIMIT 1"
    ):
        raise _still_true(table, where)


def _still_true(table: str, where: str) -> CommandError:
    return CommandError(
        f"backfill of {table}: a row still {STILL_TRUE}: {where}; its batch was undone"
    )
