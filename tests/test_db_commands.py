"""`make db-test`, `db-reset` and `db-shell`, on a server of `make db-up` and on others."""

import ast
import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
import trustme

from projects import ok, refusal
from servers import PostgresServer, bindir, running_server
from stubs import Stub, relay
from workplaces import Workplace, adopt, ordinary, public_folder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bindir() is None, reason="no PostgreSQL on this machine"),
]
ANOTHERS_MARK = "shop-0123456789abcdef0123456789abcdef"
Open = Callable[[str], sqlite3.Connection]


@pytest.fixture(scope="module")
def shop(default_project: Path) -> Iterator[Workplace]:
    """A project whose `db-up` started its server."""
    with public_folder() as folder:
        workplace = adopt(default_project, folder / "shop", ordinary(folder))
        ok(workplace.up(DB_SERVER="system"))
        yield workplace
        workplace.close()


@pytest.fixture(scope="module")
def foreign() -> Iterator[PostgresServer]:
    """A server that another project's `db-up` may have started."""

    def mark(server: PostgresServer) -> None:
        server.settings["cluster_name"] = ANOTHERS_MARK

    with running_server(mark) as server:
        yield server


@pytest.fixture
def kept(shop: Workplace) -> str:
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


# db-test


def test_db_test_prints_server_version_and_round_trip(shop: Workplace) -> None:
    said = ok(shop.database("test"))
    version = shop.sql("SHOW server_version")[0].split()[0]
    assert f"PostgreSQL {version} on 127.0.0.1:{shop.port}, database shop_dev, without TLS" in said
    assert "round trip" in said
    assert " ms" in said


def test_db_test_says_when_there_is_tls(shop: Workplace) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")

    def tls(server: PostgresServer) -> None:
        server.write("server.crt", b"".join(c.bytes() for c in certificate.cert_chain_pems).decode())
        server.write("server.key", certificate.private_key_pem.bytes().decode())
        server.settings["ssl"] = "on"

    with running_server(tls) as server:
        assert "TLSv1.3" in ok(shop.database("test", DATABASE_URL=server.url() + "?sslmode=require"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://app:s3cret@127.0.0.1:1/shop", "127.0.0.1:1: nothing listens there"),
        ("postgresql://app:s3cret@127.0.0.1:{port}/shop_dev", "refused the password"),
        ("postgresql://app:{password}@127.0.0.1:{port}/missing", "no such database"),
        ("postgresql://app:s3cret@no.such.host.invalid/shop", "no.such.host.invalid:5432: the host"),
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("mysql://app:s3cret@127.0.0.1/shop", "begins with neither"),
    ],
    ids=["no-server", "password", "database", "host", "sqlite", "url"],
)
def test_db_test_fails_in_one_line_that_says_why(shop: Workplace, url: str, reason: str) -> None:
    url = url.format(port=shop.port, password=shop.password)
    result = shop.database("test", DATABASE_URL=url)
    assert reason in refusal(result)
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert "s3cret" not in result.stderr


def test_db_test_of_an_sqlite_file_reads_it_and_makes_none(shop: Workplace) -> None:
    variables = {"DATABASE_URL": "sqlite:///tested.db"}
    file = shop.path / "tested.db"
    assert "does not exist yet" in ok(shop.database("test", **variables))
    assert not file.exists()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (x)")
    assert f"SQLite {sqlite3.sqlite_version[:2]}" in ok(shop.database("test", **variables))
    file.write_bytes(b"something else entirely" * 100)
    assert "not a database" in refusal(shop.database("test", **variables))


# db-reset: PostgreSQL


def test_db_reset_empties_our_own_server_while_others_are_connected(shop: Workplace, kept: str) -> None:
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
    shop: Workplace, foreign: PostgresServer, precious: str
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


def test_db_reset_takes_a_server_without_a_mark_for_nobodys(default_project: Path, shop: Workplace) -> None:
    with public_folder() as folder, running_server() as server:
        fresh = adopt(default_project, folder / "fresh", shop.somebody)  # it has no mark either
        assert "was not started by" in refusal(fresh.database("reset", DATABASE_URL=server.url("shop")))
        (fresh.path / ".database").mkdir()
        (fresh.path / ".database" / "mark").touch()
        assert "was not started by" in refusal(fresh.database("reset", DATABASE_URL=server.url("shop")))


def test_db_reset_of_a_copy_of_the_project_does_not_reach_the_originals_database(
    shop: Workplace, kept: str
) -> None:
    with public_folder() as folder:
        copy = Workplace(folder / shop.path.name, shop.somebody, shop.password)
        shutil.copytree(shop.path, copy.path, symlinks=True, ignore=shutil.ignore_patterns("data"))
        shop.somebody.own(copy.path, *copy.path.rglob("*"))
        assert copy.port == shop.port
        assert "was not started by" in refusal(copy.database("reset"))
    assert shop.sql(kept) == [1]


@pytest.mark.parametrize("confirm", ["shop", "shop_dev "])
def test_db_reset_refuses_a_wrong_confirm_even_on_our_own_server(
    shop: Workplace, kept: str, confirm: str
) -> None:
    assert "make db-reset CONFIRM=shop_dev" in refusal(shop.database("reset", CONFIRM=confirm))
    assert shop.sql(kept) == [1]


def test_db_reset_outside_of_development_wants_the_name(shop: Workplace, kept: str) -> None:
    for environment in ("staging", "production"):
        said = refusal(shop.database("reset", ENVIRONMENT=environment))
        assert f"ENVIRONMENT is {environment}" in said
        assert shop.sql(kept) == [1]
    ok(shop.database("reset", ENVIRONMENT="production", CONFIRM="shop_dev"))
    assert shop.sql(kept) == [0]


def test_db_reset_works_in_the_test_environment(shop: Workplace, kept: str) -> None:
    ok(shop.database("reset", ENVIRONMENT="test"))
    assert shop.sql(kept) == [0]


def test_db_reset_goes_past_the_pooler(shop: Workplace, kept: str) -> None:
    url = f"postgresql://app:{shop.password}@127.0.0.1:{shop.port}/shop_dev"
    pooler = "postgresql://app:x@127.0.0.1:1/shop_dev"
    ok(shop.database("reset", DATABASE_URL=pooler, MIGRATION_DATABASE_URL=url))
    assert shop.sql(kept) == [0]


@pytest.mark.parametrize("name", ["postgres", "template1"])
def test_db_reset_refuses_the_servers_own_databases(shop: Workplace, name: str) -> None:
    url = f"postgresql://app:{shop.password}@127.0.0.1:{shop.port}/{name}"
    assert "no database to drop" in refusal(shop.database("reset", DATABASE_URL=url, CONFIRM=name))


def test_db_reset_does_not_drop_what_it_may_not_create(
    shop: Workplace, foreign: PostgresServer, precious: str
) -> None:
    foreign.sql("DROP ROLE IF EXISTS limited")
    foreign.sql("CREATE ROLE limited LOGIN PASSWORD 'limited'")
    foreign.sql(f"ALTER DATABASE {precious} OWNER TO limited")
    url = foreign.url(precious, user="limited", password="limited")
    said = refusal(shop.database("reset", DATABASE_URL=url, CONFIRM=precious))
    assert "may not create databases" in said
    assert foreign.sql("SELECT answer FROM kept", precious) == "42"


# db-reset: SQLite


@pytest.fixture
def open_file(shop: Workplace) -> Iterator[Open]:
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


def fill(shop: Workplace, connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    shop.somebody.own(*shop.path.glob("*.db*"))


def tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]


@pytest.mark.parametrize(("journal", "page_size"), [("delete", 4096), ("wal", 8192)])
def test_db_reset_empties_an_sqlite_file_for_those_who_have_it_open(
    shop: Workplace, open_file: Open, journal: str, page_size: int
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


def test_db_reset_of_an_sqlite_file_that_is_being_written_says_so(shop: Workplace, open_file: Open) -> None:
    connection = open_file("dev.db")
    fill(shop, connection)
    connection.execute("BEGIN IMMEDIATE")
    said = refusal(shop.database("reset", DATABASE_URL="sqlite:///dev.db"))
    assert "somebody else is writing to it" in said
    connection.execute("COMMIT")
    assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_db_reset_of_an_sqlite_file_outside_the_project_wants_its_name(
    shop: Workplace, open_file: Open
) -> None:
    outside = shop.path.parent / "outside.db"
    connection = open_file(str(outside))
    fill(shop, connection)
    shop.somebody.own(outside)
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


def test_db_reset_guards_an_sqlite_file_by_name_and_environment(shop: Workplace, open_file: Open) -> None:
    connection = open_file("dev.db")
    fill(shop, connection)
    for variables in ({"ENVIRONMENT": "production"}, {"CONFIRM": "other.db"}):
        said = refusal(shop.database("reset", DATABASE_URL="sqlite:///dev.db", **variables))
        assert "make db-reset CONFIRM=dev.db" in said
        assert tables(connection) == ["kept"]
    ok(shop.database("reset", DATABASE_URL="sqlite:///dev.db", ENVIRONMENT="production", CONFIRM="dev.db"))
    assert tables(connection) == []


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///file:x.db?uri=true"])
def test_db_reset_refuses_what_is_no_plain_file(shop: Workplace, url: str) -> None:
    refusal(shop.database("reset", DATABASE_URL=url))


def test_db_reset_refuses_to_overwrite_what_is_no_database(shop: Workplace) -> None:
    file = shop.path / "notes.db"
    file.write_text("not a database" * 100)
    shop.somebody.own(file)
    assert "not a database" in refusal(shop.database("reset", DATABASE_URL="sqlite:///notes.db"))
    assert file.read_text() == "not a database" * 100
    file.unlink()


# db-shell


@pytest.fixture
def psql(shop: Workplace) -> Iterator[Stub]:
    """A psql that shows how it was called."""
    stub = Stub(shop.path.parent / "bin", "psql", shop.somebody)
    stub.answer({"": (0, "")})
    yield stub
    shutil.rmtree(stub.folder)


FORMS = [
    ("postgres://a:p%40:/%23@h/d", "postgresql://a@h/d", "p@:/#"),
    ("postgresql://a%40b:p@ss w?rd@h/d%20e", "postgresql://a%40b@h/d%20e", "p@ss w?rd"),
    (
        "postgresql://a:s3cret@h:1,[::1]:2/d?target_session_attrs=any",
        "postgresql://a@h:1,[::1]:2/d?target_session_attrs=any",
        "s3cret",
    ),
    (
        "postgresql:///d?host=/run/pg&user=a&password=s3cret&sslpassword=s3cret&options=-c%20x%3Dy",
        "postgresql:///d?host=/run/pg&user=a&options=-c%20x%3Dy",
        "s3cret",
    ),
    ("postgresql://a@h/d?ssl=prefer&statement_cache_size=0", "postgresql://a@h/d?sslmode=prefer", None),
]


def test_every_form_of_a_url_is_given_to_psql_without_its_password(shop: Workplace) -> None:
    script = (
        "import sys; from app.database.shell import libpq_url; print([libpq_url(u) for u in sys.argv[1:]])"
    )
    said = ok(shop.run(shop.somebody.python, "-c", script, *(url for url, _, _ in FORMS)))
    assert ast.literal_eval(said) == [(argument, password) for _, argument, password in FORMS]


def test_db_shell_gives_psql_the_password_in_its_environment(shop: Workplace, psql: Stub) -> None:
    url = "postgresql+asyncpg://a:s3cret@h:1/d?sslmode=require"
    ok(shop.database("shell", DATABASE_URL=url, PATH=psql.path))
    [(arguments, variables)] = psql.calls
    assert arguments == ["postgresql://a@h:1/d?sslmode=require"]
    assert variables["PGPASSWORD"] == "s3cret"


def test_db_shell_is_psql_on_the_configured_database(shop: Workplace) -> None:
    result = subprocess.run(
        [shop.somebody.python, "-m", "app.database", "shell"],
        cwd=shop.path,
        input="SELECT 'database ' || current_database();",
        capture_output=True,
        encoding="utf-8",
        **shop.somebody.options,
    )
    assert "database shop_dev" in ok(result)


def test_db_shell_finds_the_psql_of_the_development_server(shop: Workplace) -> None:
    script = "from app.database.shell import _psql; print(_psql())"
    found = ok(shop.run(shop.somebody.python, "-c", script, PATH="/nowhere")).strip()
    assert Path(found).name == "psql"
    assert os.access(found, os.X_OK)


def test_db_shell_without_a_psql_is_a_line(shop: Workplace) -> None:
    state = shop.path / ".database" / "server.json"
    saved = state.rename(state.with_name("saved.json"))
    try:
        assert "psql is not there" in refusal(shop.database("shell", PATH="/nowhere"))
    finally:
        saved.rename(state)


@pytest.mark.parametrize("has_sqlite3", [True, False], ids=["sqlite3", "python"])
def test_db_shell_opens_an_sqlite_file(shop: Workplace, open_file: Open, has_sqlite3: bool) -> None:
    if has_sqlite3 and shutil.which("sqlite3") is None:
        pytest.skip("no sqlite3 on this machine")
    version = ok(shop.run(shop.somebody.python, "-c", "import sys; print(*sys.version_info[:2])"))
    fill(shop, open_file("dev.db"))
    result = subprocess.run(
        [shop.somebody.python, "-m", "app.database", "shell"],
        cwd=shop.path,
        env=dict(os.environ)
        | {"DATABASE_URL": "sqlite:///dev.db"}
        | ({} if has_sqlite3 else {"PATH": "/nowhere"}),
        input="SELECT answer FROM kept;\n",
        capture_output=True,
        encoding="utf-8",
        **shop.somebody.options,
    )
    if not has_sqlite3 and tuple(map(int, version.split())) < (3, 12):
        assert "sqlite3 is not there" in refusal(result)
    else:
        assert "42" in ok(result)


def test_an_unknown_command_is_a_usage_line(shop: Workplace) -> None:
    assert "usage: python -m app.database test|reset|shell" in refusal(shop.database("drop"))
    result = shop.run(shop.somebody.python, "-m", "scripts.database", "sideways")
    assert "usage: python -m scripts.database up|down" in refusal(result)
