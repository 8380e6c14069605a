"""The SQL of `op.backfill`: one batch, and the script that runs all batches offline."""

PASSES = 10
# Part of a statement's error, whatever the server's language: PostgreSQL quotes the bad value.
STILL_TRUE = "fulfils the condition although it was filled"


def first_key(table: str, key: str, where: str) -> str:
    """Return the query of the smallest key whose row is to be filled."""
    return f"SELECT {key} FROM {table} WHERE ({where}) ORDER BY {key} LIMIT 1"


def batch_statement(table: str, set_: str, where: str, key: str, batch: int, start: str) -> str:
    """Return the statement that fills a batch; its row is the number filled, and the last key.

    The UPDATE repeats the condition, because others may have filled a row meanwhile. A row for
    which it is still true afterwards makes the whole statement fail, by a text that is no number,
    so that nothing of the batch stays.

    Args:
        start: the parameter or variable that holds the first key of the batch.
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
    RETURNING CASE WHEN ({where}) THEN CAST('{STILL_TRUE}: ' || CAST({key} AS text) AS integer) END
)
SELECT (SELECT count(*) FROM migrator_filled), (SELECT batch_key FROM migrator_last)"""


def script(table: str, set_: str, where: str, key: str, batch: int, pause: float) -> str:
    """Return a DO block that runs all batches and commits each.

    The statement in it is not indented, since a text in it may have several lines.
    https://www.postgresql.org/docs/current/plpgsql-transactions.html
    """
    first = first_key(table, key, where)
    statement = batch_statement(table, set_, where, key, batch, "migrator_start")
    return f"""\
DO $backfill$
DECLARE
    migrator_start {table}.{key}%TYPE;
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
