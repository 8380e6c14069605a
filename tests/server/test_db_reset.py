"""`make db-reset` empties what is this project's own, and nothing else without its name."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from support.devserver_project import DevServerProject, adopt, public_folder
from support.projects import ok, refusal
from support.servers import PostgresServer, bindir, running_server
from support.stubs import relay

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bindir() is None, reason="no PostgreSQL on this machine"),
]
ANOTHERS_MARK = "shop-0123456789abcdef0123456789abcdef"
Open = Callable[[str], sqlite3.Connection]


@pytest.fixture
def shop(shop_with_server: DevServerProject) -> DevServerProject:
    """A project whose `db-up` started its server."""
    return shop_with_server


@pytest.fixture(scope="session")
def foreign() -> Iterator[PostgresServer]:
    """A server that another project's `db-up` may have started."""

    def mark(server: PostgresServer) -> None:
        server.settings["cluster_name"] = ANOTHERS_MARK

    with running_server(mark) as server:
        yield server


@pytest.fixture
def kept(shop: DevServerProject) -> str:
    """Put something into the database of `shop`; returns the statement that finds it again."""
    shop.sql("DROP TABLE IF EXISTS kept")
    shop.sql("CREATE TABLE kept AS SELECT 42 AS answer")
    return "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'"


@pytest.fixture
def precious(foreign: PostgresServer) -> Iterator[str]:
    """A database on the foreign server with something in it."""
    name = foreign.create_database("precious")
    name = name.rpartition("/")[2]
    foreign.sql("CREATE TABLE kept AS SELECT 42 AS answer", name)
    yield name
    foreign.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_db_reset_empties_our_own_server_while_others_are_connected(
    shop: DevServerProject, kept: str
) -> None:
    async def reset_while_connected() -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=shop.port, user="app", password=shop.password, database="shop_dev"
        )
        await connection.execute("BEGIN; LOCK TABLE kept")
        ok(await asyncio.to_thread(shop.database, "reset"))
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.execute("SELECT 1")

    asyncio.run(reset_while_connected())
    assert shop.sql(kept) == [0]


def test_db_reset_of_a_foreign_server_behind_a_tunnel_touches_nothing(
    shop: DevServerProject, foreign: PostgresServer, precious: str
) -> None:
    before = foreign.sql("SELECT oid FROM pg_database WHERE datname = 'precious'")
    with relay(foreign.port) as port:
        url = foreign.url(precious).replace(f":{foreign.port}/", f":{port}/")
        assert url.startswith("postgresql://postgres:")
        said = refusal(shop.database("reset", DATABASE_URL=url))
        assert f"127.0.0.1:{port} was not started by 'make db-up' of this project" in said
        assert "make db-reset CONFIRM=precious" in said
        assert foreign.password not in said
        refusal(shop.database("reset", DATABASE_URL=url, CONFIRM="something"))
        assert foreign.sql("SELECT oid FROM pg_database WHERE datname = 'precious'") == before
        assert foreign.sql("SELECT answer FROM kept", precious) == "42"
        # The tunnel is no obstacle: what was in the way is the guard.
        ok(shop.database("reset", DATABASE_URL=url, CONFIRM="precious"))
        assert foreign.sql("SELECT oid FROM pg_database WHERE datname = 'precious'") != before


def test_db_reset_takes_a_server_without_a_mark_for_nobodys(
    default_project: Path, shop: DevServerProject
) -> None:
    with public_folder() as folder, running_server() as server:
        fresh = adopt(default_project, folder / "fresh", shop.user)  # it has no mark either
        assert "was not started by" in refusal(fresh.database("reset", DATABASE_URL=server.url("shop")))
        (fresh.path / ".database").mkdir()
        (fresh.path / ".database" / "mark").touch()
        assert "was not started by" in refusal(fresh.database("reset", DATABASE_URL=server.url("shop")))


def test_db_reset_of_a_copy_of_the_project_does_not_reach_the_originals_database(
    shop: DevServerProject, kept: str
) -> None:
    with public_folder() as folder:
        copy = DevServerProject(folder / shop.path.name, shop.user, shop.password)
        shutil.copytree(shop.path, copy.path, symlinks=True, ignore=shutil.ignore_patterns("data"))
        shop.user.own(copy.path, *copy.path.rglob("*"))
        assert copy.port == shop.port
        assert "was not started by" in refusal(copy.database("reset"))
    assert shop.sql(kept) == [1]


@pytest.mark.parametrize("confirm", ["shop", "shop_dev "])
def test_db_reset_refuses_a_wrong_confirm_even_on_our_own_server(
    shop: DevServerProject, kept: str, confirm: str
) -> None:
    assert "make db-reset CONFIRM=shop_dev" in refusal(shop.database("reset", CONFIRM=confirm))
    assert shop.sql(kept) == [1]


def test_db_reset_outside_of_development_wants_the_name(shop: DevServerProject, kept: str) -> None:
    for environment in ("staging", "production"):
        said = refusal(shop.database("reset", ENVIRONMENT=environment))
        assert f"ENVIRONMENT is {environment}" in said
        assert shop.sql(kept) == [1]
    ok(shop.database("reset", ENVIRONMENT="production", CONFIRM="shop_dev"))
    assert shop.sql(kept) == [0]


def test_db_reset_works_in_the_test_environment(shop: DevServerProject, kept: str) -> None:
    ok(shop.database("reset", ENVIRONMENT="test"))
    assert shop.sql(kept) == [0]


def test_db_reset_goes_past_the_pooler(shop: DevServerProject, kept: str) -> None:
    url = f"postgresql://app:{shop.password}@127.0.0.1:{shop.port}/shop_dev"
    pooler = "postgresql://app:x@127.0.0.1:1/shop_dev"
    ok(shop.database("reset", DATABASE_URL=pooler, MIGRATION_DATABASE_URL=url))
    assert shop.sql(kept) == [0]


@pytest.mark.parametrize("name", ["postgres", "template1"])
def test_db_reset_refuses_the_servers_own_databases(shop: DevServerProject, name: str) -> None:
    url = f"postgresql://app:{shop.password}@127.0.0.1:{shop.port}/{name}"
    assert "no database to drop" in refusal(shop.database("reset", DATABASE_URL=url, CONFIRM=name))


def test_db_reset_does_not_drop_what_it_may_not_create(
    shop: DevServerProject, foreign: PostgresServer, precious: str
) -> None:
    foreign.sql("DROP ROLE IF EXISTS limited")
    foreign.sql("CREATE ROLE limited LOGIN PASSWORD 'limited'")
    foreign.sql(f"ALTER DATABASE {precious} OWNER TO limited")
    url = foreign.url(precious, user="limited", password="limited")
    said = refusal(shop.database("reset", DATABASE_URL=url, CONFIRM=precious))
    assert "may not create databases" in said
    assert foreign.sql("SELECT answer FROM kept", precious) == "42"


@pytest.fixture
def open_file(shop: DevServerProject) -> Iterator[Open]:
    """Opens SQLite files of the project, whose user may write them, and closes them."""
    opened: list[sqlite3.Connection] = []

    def connect(name: str) -> sqlite3.Connection:
        opened.append(sqlite3.connect(shop.path / name, timeout=0.1, isolation_level=None))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
    for file in shop.path.glob("*.db*"):
        file.unlink()


def fill(shop: DevServerProject, connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    shop.user.own(*shop.path.glob("*.db*"))


def tables(connection: sqlite3.Connection) -> list[str]:
    """Tables that the migrations, which end a reset, did not make."""
    made = "('users', 'alembic_version', 'alembic_history', 'sqlite_sequence')"
    query = f"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN {made}"
    return [name for (name,) in connection.execute(query)]


@pytest.mark.parametrize(("journal", "page_size"), [("delete", 4096), ("wal", 8192)])
def test_db_reset_empties_an_sqlite_file_for_those_who_have_it_open(
    shop: DevServerProject, open_file: Open, journal: str, page_size: int
) -> None:
    connection = open_file("dev.db")
    connection.execute(f"PRAGMA page_size = {page_size}")
    connection.execute(f"PRAGMA journal_mode = {journal}")
    fill(shop, connection)
    inode = (shop.path / "dev.db").stat().st_ino
    ok(shop.database("reset", DATABASE_URL="sqlite:///dev.db"))
    assert tables(connection) == []
    assert (shop.path / "dev.db").stat().st_ino == inode
    connection.execute("CREATE TABLE anew (x)")
    assert tables(open_file("dev.db")) == ["anew"]


@pytest.mark.long
def test_db_reset_of_an_sqlite_file_that_is_being_written_says_so(
    shop: DevServerProject, open_file: Open
) -> None:
    connection = open_file("dev.db")
    fill(shop, connection)
    connection.execute("BEGIN IMMEDIATE")
    said = refusal(shop.database("reset", DATABASE_URL="sqlite:///dev.db"))
    assert "somebody else is writing to it" in said
    connection.execute("COMMIT")
    assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_db_reset_of_an_sqlite_file_outside_the_project_wants_its_name(
    shop: DevServerProject, open_file: Open
) -> None:
    outside = shop.path.parent / "outside.db"
    connection = open_file(str(outside))
    fill(shop, connection)
    shop.user.own(outside)
    outside.parent.chmod(0o777)  # for SQLite's journal
    link = shop.path / "linked.db"
    link.symlink_to(outside)
    for url in (f"sqlite:///{outside}", "sqlite:///linked.db", "sqlite:///../outside.db"):
        assert f"{outside} is outside the project" in refusal(shop.database("reset", DATABASE_URL=url))
        refusal(shop.database("reset", DATABASE_URL=url, CONFIRM="kept"))
        assert tables(connection) == ["kept"]
    ok(shop.database("reset", DATABASE_URL="sqlite:///linked.db", CONFIRM="linked.db"))
    assert tables(connection) == []
    assert link.is_symlink()
    outside.unlink()


def test_db_reset_guards_an_sqlite_file_by_name_and_environment(
    shop: DevServerProject, open_file: Open
) -> None:
    connection = open_file("dev.db")
    fill(shop, connection)
    for variables in ({"ENVIRONMENT": "production"}, {"CONFIRM": "other.db"}):
        said = refusal(shop.database("reset", DATABASE_URL="sqlite:///dev.db", **variables))
        assert "make db-reset CONFIRM=dev.db" in said
        assert tables(connection) == ["kept"]
    ok(shop.database("reset", DATABASE_URL="sqlite:///dev.db", ENVIRONMENT="production", CONFIRM="dev.db"))
    assert tables(connection) == []


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///file:x.db?uri=true"])
def test_db_reset_refuses_what_is_no_plain_file(shop: DevServerProject, url: str) -> None:
    refusal(shop.database("reset", DATABASE_URL=url))


def test_db_reset_refuses_to_overwrite_what_is_no_database(shop: DevServerProject) -> None:
    file = shop.path / "notes.db"
    file.write_text("not a database" * 100)
    shop.user.own(file)
    assert "not a database" in refusal(shop.database("reset", DATABASE_URL="sqlite:///notes.db"))
    assert file.read_text() == "not a database" * 100
    file.unlink()
