"""Throwaway databases work where the real one does, and say in a line what they lack."""

import asyncio
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dbkit.connection import connect
from dbkit.connection.leftovers import choose_token
from dbkit.connection.url import parse_database_url
from support import poolers
from support.database_state import add_revision
from support.processes import Session, wait_until
from support.projects import Project, ok, refusal
from support.servers import PostgresServer, running_server

pytestmark = pytest.mark.slow

SECRET = "s3cret"
SHOW = """
import asyncio
from dbkit.connection import connect, throwaway_database, throwaway_home
async def show():
    home = throwaway_home()
    async with throwaway_database(home) as database, connect(database, keep_limits=True) as connection:
        settings = "server_encoding", "lc_ctype", "TimeZone", "search_path", "statement_timeout"
        for name in settings:
            print((await connection.exec_driver_sql(f"SHOW {name}")).scalar_one())
asyncio.run(show())
"""
BROKEN = """
import asyncio
import threading
from dbkit.connection import connect, shared_connections, throwaway_database, throwaway_home
from dbkit.connection.beside import connect_beside
async def end(home, pid):
    async with connect(home.named("postgres")) as other:
        await other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
async def work():
    home = throwaway_home()
    async with shared_connections(), throwaway_database(home):
        async with connect_beside(home) as shared:
            pid = (await shared.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()
        ended = threading.Thread(target=asyncio.run, args=(end(home, pid),))
        ended.start()
        ended.join()  # the command is at work, and its event loop does not look
asyncio.run(work())
print("done")
"""


@pytest.fixture
def narrow(postgresql_project: Project, postgres_server: PostgresServer) -> Iterator[Project]:
    """A project whose role is no superuser, and may create databases; it owns its own."""
    server, name = postgres_server, postgresql_project.url.rpartition("/")[2]
    server.sql(f"CREATE ROLE narrow LOGIN CREATEDB PASSWORD '{SECRET}'")
    server.sql(f'ALTER DATABASE "{name}" OWNER TO narrow')
    url = server.url(name, user="narrow", password=SECRET)
    (postgresql_project.path / ".env").write_text(f"DATABASE_URL={url}\n", "utf-8")
    yield replace(postgresql_project, url=url)
    server.sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.sql("DROP OWNED BY narrow; DROP ROLE narrow")


def name_of(project: Project) -> str:
    """The name of a project's database."""
    return project.url.rpartition("/")[2]


def test_a_shared_connection_that_broke_while_it_was_idle_leaves_no_throwaway(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    assert ok(postgresql_project.python("-c", BROKEN)) == "done\n"
    left = f"SELECT count(*) FROM pg_database WHERE datname LIKE '{name_of(postgresql_project)}\\_throwaway%'"
    assert postgres_server.sql(left) == "0"


def test_timeouts_for_requests_end_no_command(postgres_server: PostgresServer) -> None:
    server = postgres_server
    server.sql(f"CREATE ROLE hurried LOGIN PASSWORD '{SECRET}'")
    names = ["statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"]
    if int(server.sql("SHOW server_version_num")) >= 170000:
        names.append("transaction_timeout")
    for name in names:
        server.sql(f"ALTER ROLE hurried SET {name} = '1min'")
    database = parse_database_url(server.url(user="hurried", password=SECRET))

    async def show(**options: bool) -> set[str]:
        async with connect(database, **options) as connection:
            return {(await connection.exec_driver_sql(f"SHOW {name}")).scalar_one() for name in names}

    assert asyncio.run(show()) == {"0"}
    assert asyncio.run(show(keep_limits=True)) == {"1min"}
    server.sql("DROP ROLE hurried")


@pytest.mark.parametrize("where", ["role", "URL"])
def test_a_search_path_without_public(narrow: Project, postgres_server: PostgresServer, where: str) -> None:
    project, name = narrow, name_of(narrow)
    postgres_server.sql("CREATE SCHEMA app AUTHORIZATION narrow", name)
    if where == "role":
        postgres_server.sql("ALTER ROLE narrow SET search_path = app")
    else:
        project.write(".env", f"DATABASE_URL={project.url}?options=-csearch_path%3Dapp\n")
    ok(project.make("migrate"))
    ok(project.make("migrate-test"))
    if where == "role":
        ok(project.make("migration-check"))
        ok(project.python("-m", "pytest", "-q", "tests/test_models.py", "tests/test_health.py"))


@pytest.mark.long
def test_a_version_table_in_a_schema_of_its_own_is_healthy(narrow: Project) -> None:
    keyword = 'environment.run(metadata, version_table_schema="own", '
    narrow.edit("alembic/env.py", "environment.run(metadata, ", keyword)
    ok(narrow.python("-m", "pytest", "-q", "tests/test_health.py", "tests/test_database_migrations.py"))


def test_an_extension_that_a_superuser_installs(narrow: Project, postgres_server: PostgresServer) -> None:
    project, server, name = narrow, postgres_server, name_of(narrow)
    server.sql("CREATE EXTENSION pageinspect", name)
    add_revision(project, "op.execute('CREATE EXTENSION IF NOT EXISTS pageinspect')")
    ok(project.make("migrate"))
    assert "into a database that TEST_DATABASE_TEMPLATE names" in refusal(project.make("migrate-test"))

    template = {"TEST_DATABASE_TEMPLATE": "with_extensions"}
    assert refusal(project.make("migrate-test", **template)).endswith(
        "there is no database with_extensions, which TEST_DATABASE_TEMPLATE names"
    )
    server.create_database("with_extensions")
    server.sql("CREATE EXTENSION pageinspect", "with_extensions")
    not_yet = refusal(project.make("migrate-test", **template))
    assert not_yet.endswith('ALTER DATABASE "with_extensions" IS_TEMPLATE true'), not_yet
    server.sql("ALTER DATABASE with_extensions IS_TEMPLATE true")
    ok(project.make("migrate-test", **template))
    server.sql("ALTER DATABASE with_extensions IS_TEMPLATE false")
    server.sql("DROP DATABASE with_extensions")

    server.sql("ALTER ROLE narrow NOCREATEDB")
    assert "let a superuser run ALTER ROLE" in refusal(project.make("migrate-test"))


def test_a_pooler_that_lists_its_databases(
    postgresql_project: Project, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = postgresql_project
    monkeypatch.setattr(poolers, "CONFIG", poolers.CONFIG.replace("* =", f"{name_of(project)} ="))
    with poolers.running_pooler(postgres_server) as port:
        url = project.url.replace(f":{postgres_server.port}/", f":{port}/")
        said = refusal(project.make("migrate-test", TEST_DATABASE_URL=url))
    assert said.endswith("let TEST_DATABASE_URL name the server itself")


@pytest.mark.long
def test_a_template_that_somebody_is_connected_to(narrow: Project, postgres_server: PostgresServer) -> None:
    server = postgres_server
    server.create_database("in_use")
    server.sql("ALTER DATABASE in_use IS_TEMPLATE true")
    with ThreadPoolExecutor(1) as somebody:
        sleeping = somebody.submit(server.sql, "SELECT pg_sleep(8)", "in_use")
        said = refusal(narrow.make("migrate-test", TEST_DATABASE_TEMPLATE="in_use"))
        sleeping.result()
    server.sql("ALTER DATABASE in_use IS_TEMPLATE false")
    server.sql("DROP DATABASE in_use")
    assert "somebody is connected to in_use, which cannot be copied meanwhile" in said


def test_encoding_collation_and_settings_are_those_of_the_real_database(
    narrow: Project, postgres_server: PostgresServer
) -> None:
    server, name = postgres_server, name_of(narrow)
    server.sql(f'DROP DATABASE "{name}"')
    server.sql(f'CREATE DATABASE "{name}" OWNER narrow TEMPLATE template0 ENCODING LATIN1')
    server.sql(f'ALTER DATABASE "{name}" SET "TimeZone" = \'Asia/Tokyo\'')
    server.sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    server.sql(f'ALTER DATABASE "{name}" SET statement_timeout = 1')
    server.sql(f'ALTER ROLE narrow IN DATABASE "{name}" SET search_path = extra, "$user", public')
    printed = ok(narrow.python("-c", SHOW)).splitlines()
    assert printed == ["LATIN1", "C", "Asia/Tokyo", 'extra, "$user", public', "0"]
    ok(narrow.make("migrate-test"))
    server.sql(f'ALTER ROLE narrow IN DATABASE "{name}" RESET ALL')
    server.sql(f'ALTER DATABASE "{name}" RESET ALL')
    ok(narrow.make("db-reset", f"CONFIRM={name}"))
    assert server.sql("SHOW server_encoding", name) == "LATIN1"


def test_a_server_that_ends_meanwhile_is_one_line(postgresql_project: Project) -> None:
    add_revision(postgresql_project, 'op.execute("SELECT pg_sleep(60)")')
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
    with running_server() as server:
        postgresql_project.url = server.create_database()
        postgresql_project.write(".env", f"DATABASE_URL={postgresql_project.url}\n")
        with Session(postgresql_project) as watcher, ThreadPoolExecutor() as pool:
            running = pool.submit(postgresql_project.make, "migrate-test")
            wait_until(lambda: watcher.count(asleep))
            server.stop(signal.SIGKILL)
            assert "nothing listens there" in refusal(running.result())


def test_what_killed_commands_have_left_is_dropped_after_a_day(
    narrow: Project, postgres_server: PostgresServer
) -> None:
    server, now = postgres_server, time.time()
    hour = int(now / 3_600)
    databases = {
        # Killed before there was a comment: their names tell the hour.
        f"left_throwaway_{hour - 30:05x}fedcba9": "",
        f"left_throwaway_{hour - 24:05x}fedcba9": "",
        f"left_throwaway_{hour - 30:05x}fedcba8": "mine",
        "left_throwaway_0123456789a": "",
        "left_old": f"throwaway database, made at {now - 100_000:.0f}",
        "left_young": f"throwaway database, made at {now - 1_000:.0f}",
        "left_other": "made at 1",
    }
    for name, comment in databases.items():
        server.create_database(name)
        server.sql(f"ALTER DATABASE {name} OWNER TO narrow; COMMENT ON DATABASE {name} IS '{comment}'")
    ok(narrow.python("-c", SHOW))
    there = server.sql("SELECT datname FROM pg_database WHERE datname LIKE 'left%' ORDER BY 1").split()
    for name in there:
        server.sql(f"DROP DATABASE {name}")
    assert there == [
        "left_other",
        "left_throwaway_0123456789a",
        f"left_throwaway_{hour - 30:05x}fedcba8",
        f"left_throwaway_{hour - 24:05x}fedcba9",
        "left_young",
    ]
    token = choose_token()
    assert len(token) == 12
    assert hour <= int(token[:5], 16) <= hour + 1
