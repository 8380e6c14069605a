"""The SQL that `migration-check` prints: run, it takes the difference away that it stands below."""

import asyncio
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dbkit.connection import connect
from dbkit.connection.url import parse_database_url
from dbkit.schema import Picture, differences, read
from dbkit.schema.mending import Mend, mends
from support.servers import PostgresServer

HERE = Path(__file__).parent
pytestmark = pytest.mark.xdist_group("picture")
DRIFTS = tomllib.loads((HERE / "drifts.toml").read_text("utf-8"))["definition"]


# Run outside of a transaction, as an index CONCURRENTLY has to be. In a transaction that has dropped the
# constraint of a domain, and then had a savepoint, PostgreSQL 15 adds none.
OUTSIDE = [
    "ALTER DOMAIN public.email DROP CONSTRAINT has_at",
    "CREATE INDEX extra ON public.users (price)",
    "DROP INDEX public.ix_users_note",
    "UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'public.uq_users_title'::regclass",
    "ALTER TABLE public.users DROP CONSTRAINT ck_users_price",
    "DROP INDEX public.ix_events_note",
]
IN_TRANSACTION = [change for change in DRIFTS if change != OUTSIDE[0]]
# Mended by nothing, or not by a statement alone: data, grants or a decision are at stake.
NOT_MENDED = (HERE / "not_mended.txt").read_text("utf-8").splitlines()


@dataclass
class Mended:
    """What a drift made differ, and what was left after its mends had run."""

    mends: dict[str, Mend]
    left: list[str]
    failure: str = ""


def in_transaction(statement: str) -> str:
    return re.sub(r"\b(INDEX) CONCURRENTLY", r"\1", statement)


def mends_of(expected: Picture, found: Picture) -> dict[str, Mend]:
    return {each.key: one for each, one in mends(differences(expected, found), expected, found)}


async def take(url: str) -> Picture:
    async with connect(parse_database_url(url), autocommit=False) as connection:
        return await connection.run_sync(read)


def try_all(connection: Connection, *, backwards: bool) -> dict[str, Mended]:
    """Mend each drift, or the database without it as if the drift were what is expected."""
    before = read(connection)
    results = {}
    for change in IN_TRANSACTION:
        transaction = connection.begin()
        for statement in change.split("; "):
            connection.exec_driver_sql(statement)
        expected, found = before, read(connection)
        if backwards:
            expected, found = found, before
            transaction.rollback()
            transaction = connection.begin()
        printed = mends_of(expected, found)
        try:
            for each in printed.values():
                for statement in each.statements:
                    connection.exec_driver_sql(in_transaction(statement))
            left = [each.key for each in differences(expected, read(connection))]
            results[change] = Mended(printed, left)
        except DBAPIError as error:
            results[change] = Mended(printed, [], str(error))
        transaction.rollback()
    return results


@pytest.fixture(scope="session")
def url(postgres_server: PostgresServer) -> str:
    """A database with one object of each kind."""
    made = postgres_server.create_database()
    postgres_server.sql((HERE / "postgresql_schema.sql").read_text("utf-8"), made.rpartition("/")[2])
    return made


def mend_all(url: str, *, backwards: bool) -> dict[str, Mended]:
    async def run() -> dict[str, Mended]:
        async with connect(parse_database_url(url), autocommit=False) as connection:
            return await connection.run_sync(lambda sync: try_all(sync, backwards=backwards))

    return asyncio.run(run())


@pytest.fixture(scope="session")
def mended(url: str) -> dict[str, Mended]:
    """What becomes of each drift."""
    return mend_all(url, backwards=False)


@pytest.mark.parametrize("change", IN_TRANSACTION)
def test_what_is_printed_takes_the_difference_away(mended: dict[str, Mended], change: str) -> None:
    one = mended[change]
    assert one.failure == ""
    without = {key for key, each in one.mends.items() if not each.statements}
    assert set(one.left) <= without
    assert bool(one.left) == (change in NOT_MENDED)


@pytest.mark.long
def test_the_way_back_is_mended_too(url: str) -> None:
    wrong = {}
    for change, one in mend_all(url, backwards=True).items():
        without = {key for key, each in one.mends.items() if not each.statements}
        if one.failure or set(one.left) - without:
            wrong[change] = one
    assert wrong == {}


def test_all_of_it_outside_of_a_transaction(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    postgres_server.sql((HERE / "postgresql_schema.sql").read_text("utf-8"), url.rpartition("/")[2])

    async def run() -> None:
        async with connect(parse_database_url(url)) as connection:
            before = await take(url)
            for change in OUTSIDE:
                await connection.exec_driver_sql(change)
            printed = mends_of(before, await take(url))
            assert len(printed) == len(OUTSIDE)
            for each in printed.values():
                for statement in each.statements:
                    await connection.exec_driver_sql(statement)
            assert differences(before, await take(url)) == []

    asyncio.run(run())
