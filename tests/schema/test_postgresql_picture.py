"""What the picture of a PostgreSQL database shows: each change made by hand, by name, and nothing else."""

import asyncio
import subprocess
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from dbkit.connection import connect
from dbkit.connection.url import parse_database_url
from dbkit.history import Scope
from dbkit.schema import (
    Difference,
    Picture,
    SchemaObject,
    differences,
    find_under_construction,
    fingerprint,
    pack,
    read,
    unpack,
)
from support.database_state import pg_dump
from support.servers import PostgresServer

HERE = Path(__file__).parent
pytestmark = pytest.mark.xdist_group("picture")  # one worker tries all drifts
DRIFTS = tomllib.loads((HERE / "drifts.toml").read_text("utf-8"))


@pytest.fixture(scope="session")
def found(postgres_server: PostgresServer) -> dict[str, list[Difference]]:
    """The differences that each drift makes, in a transaction that is rolled back."""
    url = postgres_server.create_database()
    name = url.rpartition("/")[2]
    postgres_server.sql((HERE / "postgresql_schema.sql").read_text("utf-8"), name)

    def try_all(connection: Connection) -> dict[str, list[Difference]]:
        before = read(connection)
        results = {}
        for part, drifts in DRIFTS.items():
            for change in drifts:
                with connection.begin() as transaction:
                    for statement in change.replace(':"DBNAME"', f'"{name}"').split("; "):
                        connection.exec_driver_sql(statement)
                    after = read(connection)
                    results[change] = differences(before, after, administration=part == "administration")
                    if part == "administration":
                        assert differences(before, after) == []
                    transaction.rollback()
        assert read(connection) == before
        return results

    async def run() -> dict[str, list[Difference]]:
        async with connect(parse_database_url(url), autocommit=False) as connection:
            return await connection.run_sync(try_all)

    return asyncio.run(run())


def test_a_restored_dump_is_no_difference(postgres_server: PostgresServer) -> None:
    """Words that a restore changes: casts in CHECKs, names of sequences, the order of what is created."""
    urls = [postgres_server.create_database() for _ in range(2)]
    first, second = (url.rpartition("/")[2] for url in urls)
    postgres_server.sql((HERE / "postgresql_schema.sql").read_text("utf-8"), first)
    dumped = subprocess.run([*pg_dump(), "--dbname", urls[0]], capture_output=True, text=True, check=True)
    postgres_server.sql(dumped.stdout, second)

    async def take(url: str) -> Picture:
        async with connect(parse_database_url(url), autocommit=False) as connection:
            return await connection.run_sync(read)

    pictures = [asyncio.run(take(url)) for url in urls]
    assert differences(*pictures) == []
    assert fingerprint(pictures[0]) == fingerprint(pictures[1])
    assert unpack(pack(pictures[0])) == pictures[0]
    with pytest.raises(ValueError, match="no picture"):
        unpack(b"something else")


def test_the_version_that_a_server_gives_a_column_is_no_difference(postgres_server: PostgresServer) -> None:
    """15.20 and 17.12 are the first that keep it among the options; here it is written, for all servers."""
    url = postgres_server.create_database()
    name = url.rpartition("/")[2]
    postgres_server.sql("CREATE TABLE t (a integer, b integer)", name)
    postgres_server.sql("ALTER TABLE t ALTER a SET (n_distinct = 7)", name)

    async def take() -> Picture:
        async with connect(parse_database_url(url), autocommit=False) as connection:
            return await connection.run_sync(read)

    pictures = []
    for version in (1, 2):
        changed = f"array_remove(attoptions, 'pg_attver=1') || 'pg_attver={version}'::text"
        where = "attrelid = 't'::regclass AND attnum > 0"
        postgres_server.sql(f"UPDATE pg_attribute SET attoptions = {changed} WHERE {where}", name)
        pictures.append(asyncio.run(take()))
    assert differences(*pictures) == []
    options = [pictures[1].objects[f"column public.t.{name}"].definition.get("options") for name in "ab"]
    assert options == [["n_distinct=7"], None]


@pytest.mark.parametrize(("change", "expected"), [item for part in DRIFTS.values() for item in part.items()])
def test_a_change_by_hand_is_seen_by_name(
    found: dict[str, list[Difference]], change: str, expected: str
) -> None:
    key, _, facets = expected.partition(": ")
    by_key = {difference.key: difference for difference in found[change]}
    assert key in by_key
    if facets:
        assert sorted(by_key[key].facets) == facets.split("; ")
    else:
        assert by_key[key].first is None or by_key[key].second is None


def test_a_setting_of_the_services_own_is_not_shown(found: dict[str, list[Difference]]) -> None:
    [change] = [change for change in found if "app.key" in change]
    [difference] = found[change]
    assert "app.key=(" in difference.describe("before", "after")
    assert "a-secret" not in difference.describe("before", "after")


def test_an_invalid_index_is_no_index_under_construction_because_of_vacuum(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.create_database()
    postgres_server.sql(
        "CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 9999)", url.rpartition("/")[2]
    )
    held = "SELECT EXISTS (SELECT FROM pg_locks WHERE mode = 'ShareUpdateExclusiveLock')"

    async def run() -> set[str]:
        database = parse_database_url(url)
        async with connect(database) as cleaner, connect(database) as connection:
            with pytest.raises(DBAPIError):
                await connection.exec_driver_sql("CREATE UNIQUE INDEX CONCURRENTLY once ON t (a)")
            for setting in ("vacuum_cost_delay = 100", "vacuum_cost_limit = 1"):
                await cleaner.exec_driver_sql(f"SET {setting}")
            vacuum = asyncio.create_task(cleaner.exec_driver_sql("VACUUM t"))
            while not (await connection.exec_driver_sql(held)).scalar_one():  # noqa: ASYNC110 - of the server
                await asyncio.sleep(0.01)
            found = await connection.run_sync(find_under_construction)
            stop = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'VACUUM t'"
            await connection.exec_driver_sql(stop)
            with pytest.raises(DBAPIError):
                await vacuum
            return found

    assert asyncio.run(run()) == set()


@pytest.mark.parametrize(("kind", "name"), [("TABLE", "t"), ("INDEX", "i"), ("FUNCTION", "f")])
def test_what_goes_while_the_catalogue_is_read_is_not_in_the_picture(
    postgres_server: PostgresServer, kind: str, name: str
) -> None:
    url = postgres_server.create_database()
    database = url.rpartition("/")[2]
    postgres_server.sql("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 1)", database)
    postgres_server.sql("CREATE INDEX i ON t (a)", database)
    postgres_server.sql("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", database)
    dropped = list[str]()

    def drop(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        if "WITH schemas" in statement and not dropped:
            dropped.append(name)
            postgres_server.sql(f"DROP {kind} {name}", database)

    async def run() -> None:
        async with connect(parse_database_url(url), autocommit=False) as connection:
            event.listen(connection.sync_connection, "before_cursor_execute", drop)
            picture = await connection.run_sync(read)
            assert dropped
            assert picture == await connection.run_sync(read)

    asyncio.run(run())


@pytest.mark.parametrize(("schema", "left"), [("ops", ["table public.steps"]), (None, [])])
def test_a_table_that_is_called_as_alembics_in_another_schema_is_compared(
    schema: str | None, left: list[str]
) -> None:
    names = ("ops.steps", "public.steps", "public.alembic_history")
    tables = [SchemaObject("table", name, None, {}, {}) for name in names]
    picture = Picture.of("postgresql", 15, tables)
    assert [*Scope("steps", schema, ()).filter(picture).objects] == left
