"""`op.backfill`: fill many rows of a PostgreSQL table that is in use, a batch at a time."""

import asyncio
import time

from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from dbkit.operations.statements import (
    log,
    offline,
    on_postgresql,
    quoted,
    quoted_table,
    run,
    setting,
)
from dbkit.transactions import autocommit_operation

BATCH = 2000  # rows
PAUSE = 0.0  # seconds
PASSES = 10
STILL = "fulfils the condition although it was filled"


@Operations.register_operation("backfill")
class Backfill(MigrateOperation):
    """Under a name that says what it does."""

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
            where: as SQL, the rows to fill. It has to be false for a row that is filled: that
                is how an attempt after a crash knows what is left.
            key: a column with an index, never NULL, that gives the order of the batches. Rows that
                have it in common are filled together.
            batch: the number of rows in one transaction, and those that share its last key.
            pause: seconds between two of them.
        """
        table, key = quoted_table(operations, table_name, schema), quoted(operations, key)
        if not on_postgresql(operations):
            _fill_at_once(operations, table, set_, where)
            return
        first = f"SELECT {key} FROM {table} WHERE ({where}) ORDER BY {key} LIMIT 1"
        # Each batch waits for the disk: WAL that piles up would be what other commits wait for.
        with autocommit_operation(operations.migration_context):
            if offline(operations):
                with setting(operations, "statement_timeout", "0"):  # it would be for all batches
                    statement = _statement(table, set_, where, key, batch, "migrator_start")
                    run(operations, _block(f"{table}.{key}", first, statement, pause))
                return
            statement = _statement(table, set_, where, key, batch, "$1")
            try:
                _fill(operations, table, first, statement, pause)
            except DBAPIError as error:
                if STILL in str(error.orig):
                    raise _endless(table, where) from None
                raise


def _statement(table: str, set_: str, where: str, key: str, batch: int, start: str) -> str:
    """A batch from the key `start` on: how many rows were filled, and the last key.

    The condition stands there again for each row, which others may have filled by then. The text
    that is no number makes the whole statement fail, so that nothing of it stays.
    """
    return f"""\
WITH migrator_batch AS (
    SELECT {key} AS batch_key FROM {table}
    WHERE {key} >= {start} AND ({where}) ORDER BY {key} LIMIT {batch:d}
), migrator_last AS (
    SELECT batch_key FROM migrator_batch ORDER BY batch_key DESC LIMIT 1
), migrator_filled AS (
    UPDATE {table} SET {set_}
    WHERE {key} >= {start} AND {key} <= (SELECT batch_key FROM migrator_last) AND ({where})
    RETURNING CASE WHEN ({where}) THEN CAST('{STILL}: ' || CAST({key} AS text) AS integer) END
)
SELECT (SELECT count(*) FROM migrator_filled), (SELECT batch_key FROM migrator_last)"""


def _fill(operations: Operations, table: str, first: str, statement: str, pause: float) -> None:
    from tqdm import tqdm  # only those who need it wait for it

    begun, total = time.monotonic(), 0
    guess = "SELECT nullif(reltuples, -1)::bigint FROM pg_class WHERE oid = to_regclass($1)"
    rows = next((row[0] for row in run(operations, guess, table)), None)
    with tqdm(desc=f"backfill of {table}", total=rows, unit=" rows", disable=None) as bar:
        # What is written behind the key meanwhile is found by the next pass.
        passes = 0
        while start := run(operations, first):
            if passes == PASSES:
                raise CommandError(
                    f"backfill of {table}: {total} rows filled, and each time others fulfil the "
                    "condition: is there code left that writes such rows, or a trigger?"
                )
            passes += 1
            [(key,)] = start
            filled = 1
            while filled:
                [(filled, key)] = run(operations, statement, key)
                bar.update(filled)
                total += filled
                await_only(asyncio.sleep(pause))  # the application's loop, if this is one, goes on
    log.info("backfill of %s: %s rows in %.1f s", table, total, time.monotonic() - begun)


def _block(key: str, first: str, statement: str, pause: float) -> str:
    """The same as a script: https://www.postgresql.org/docs/current/plpgsql-transactions.html.

    No line of `statement` is indented, since a text in it may have several.
    """
    return f"""\
DO $backfill$
DECLARE
    migrator_start {key}%TYPE;
    migrator_count bigint;
BEGIN
    FOR migrator_pass IN 1..{PASSES} LOOP
        migrator_start := ({first});
        EXIT WHEN migrator_start IS NULL;
        LOOP
{statement}
            INTO migrator_count, migrator_start;
            COMMIT;
            EXIT WHEN migrator_count = 0;
            PERFORM pg_sleep({pause:f});
        END LOOP;
    END LOOP;
    IF ({first}) IS NOT NULL THEN
        RAISE EXCEPTION 'other rows fulfil the condition each time, in {PASSES} passes';
    END IF;
END $backfill$"""


def _fill_at_once(operations: Operations, table: str, set_: str, where: str) -> None:
    """SQLite lets one write at a time, and the run is one transaction anyway."""
    run(operations, f"UPDATE {table} SET {set_} WHERE ({where})")
    if not offline(operations) and run(
        operations, f"SELECT 1 FROM {table} WHERE ({where}) LIMIT 1"
    ):
        raise _endless(table, where)


def _endless(table: str, where: str) -> CommandError:
    return CommandError(f"backfill of {table}: a row still {STILL}: {where}; its batch was undone")
