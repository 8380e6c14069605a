"""Inserts into a table of millions of rows, by the kind of its key: bigint, UUID 7, UUID 4."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from statistics import median
from uuid import UUID, uuid4

import asyncpg

from app.models.base import uuid7
from support.servers import PostgresServer

ROWS, BATCH = 5_000_000, 200_000
GOAL = 0.85  # of bigint's rows a second
# As old as the rows of a table that grew for 5,000,000 ms are.
PAST = "(extract(epoch FROM now()) * 1000)::bigint - {rows} + n"
SOURCES = {
    "bigint": "n",
    "UUID 7": f"(lpad(to_hex({PAST}), 12, '0') || '7' || substr(gen_random_uuid()::text, 16))::uuid",
    "UUID 4": "gen_random_uuid()",
}


def insert_table(server: PostgresServer, runs: int) -> Iterator[str]:
    """Measure, and give the lines of the table."""
    yield f"\nCOPY of {BATCH:,} rows into a table of {ROWS:,}, by its key, medians of {runs} runs.\n"
    yield "| key | rows a second | of bigint | goal | met |"
    yield "| --- | --- | --- | --- | --- |"
    yield from asyncio.run(_measure(server, runs))


async def _measure(server: PostgresServer, runs: int) -> list[str]:
    number = itertools.count(ROWS + 1)
    keys: dict[str, Callable[[], int | UUID]] = {
        "bigint": lambda: next(number),
        "UUID 7": uuid7,
        "UUID 4": uuid4,
    }
    rates: dict[str, list[float]] = {kind: [] for kind in keys}
    connection = await asyncpg.connect(server.create_database(), ssl=False)
    try:
        for kind, source in SOURCES.items():
            await _fill(connection, kind, source)
        for _ in range(runs):
            for kind, key in keys.items():
                rows = [(key(), "a note of some length") for _ in range(BATCH)]
                begun = time.perf_counter()
                await connection.copy_records_to_table(kind, records=rows)
                rates[kind].append(BATCH / (time.perf_counter() - begun))
    finally:
        await connection.close()
    found = {kind: median(each) for kind, each in rates.items()}
    return [_row(kind, rate, rate / found["bigint"]) for kind, rate in found.items()]


async def _fill(connection: "asyncpg.Connection[asyncpg.Record]", kind: str, source: str) -> None:
    of_key = "bigint" if kind == "bigint" else "uuid"
    await connection.execute(f'CREATE TABLE "{kind}" (id {of_key} PRIMARY KEY, note text)')
    rows = f"SELECT {source.format(rows=ROWS)}, 'a note of some length' FROM generate_series(1, {ROWS}) AS n"
    await connection.execute(f'INSERT INTO "{kind}" {rows}')
    await connection.execute("CHECKPOINT")


def _row(kind: str, rate: float, of_bigint: float) -> str:
    if kind != "UUID 7":
        return f"| {kind} | {rate:,.0f} | {of_bigint:.2f} | | |"
    return (
        f"| {kind} | {rate:,.0f} | {of_bigint:.2f} | ≥ {GOAL} | {'yes' if of_bigint >= GOAL else '**NO**'} |"
    )
