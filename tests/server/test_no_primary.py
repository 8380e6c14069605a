"""While no server is there that could be migrated, what changes something waits; what reads says why."""

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.database_state import add_revision
from support.processes import failed, read_until, start, start_process, succeeded
from support.projects import INITIAL, NO_SERVER, Project, environment, ok, refusal
from support.servers import PostgresServer, account, free_port, running_server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("no_primary")]


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A server to stop and to start."""
    with running_server() as server:
        yield server


@pytest.fixture
def project(postgresql_project: Project, server: PostgresServer) -> Project:
    """A project with a database there."""
    if server.process is None:  # another test has failed
        server.start()
    postgresql_project.url = server.create_database()
    postgresql_project.write(".env", f"DATABASE_URL={postgresql_project.url}\n")
    return postgresql_project


def promote(server: PostgresServer) -> None:
    command: list[object] = [server.programs / "pg_ctl", "promote", "--no-wait", "-D", server.data]
    subprocess.run([*map(str, command)], check=True, capture_output=True, cwd="/", **account())


def test_an_upgrade_waits_for_a_server_that_starts_and_says_for_what(
    project: Project, server: PostgresServer
) -> None:
    server.stop()
    process = start(project, "upgrade", "head")
    said = read_until(process, "waiting for")
    assert f"waiting for 127.0.0.1:{server.port}: nothing listens there; 'make db-up' starts the" in said
    server.write("standby.signal", "")  # it recovers until somebody promotes it
    server.settings["hot_standby"] = "off"
    server.start(wait=False)
    assert "db-up" not in read_until(process, "the server is starting up or shutting down")
    del server.settings["hot_standby"]
    promote(server)
    assert "Ran upgrade" in succeeded(process)
    assert project.version() == [INITIAL]


def test_of_several_servers_the_primary_is_migrated_and_waited_for(
    project: Project, server: PostgresServer
) -> None:
    server.stop()
    server.write("standby.signal", "")
    server.start()
    url = project.url.replace("@", f"@127.0.0.1:{free_port()},")
    pair = project.url.replace("@", f"@localhost:{server.port},")
    for hosts, reason in (
        (pair, "no server is primary (target_session_attrs)"),
        (url, "nothing listens"),
    ):
        told = {"DATABASE_URL": hosts, "MIGRATION_WAIT": "0.2"}
        line = failed(start(project, "upgrade", "head", **told))
        assert f"gave up after 0.2 s (MIGRATION_WAIT): waiting for {hosts.partition('@')[2][:9]}" in line
        assert f": {reason}" in line
    assert "standby" in refusal(project.make("migrate", DATABASE_URL=f"{pair}?target_session_attrs=any"))
    process = start(project, "upgrade", "head", DATABASE_URL=pair)
    read_until(process, "no server is primary (target_session_attrs)")
    promote(server)
    assert "Ran upgrade" in succeeded(process)
    assert "nothing to do" in ok(project.make("migrate", DATABASE_URL=url))


def test_an_upgrade_waits_for_a_connection_while_all_are_in_use(
    project: Project, server: PostgresServer
) -> None:
    name = project.url.rpartition("/")[2]
    server.sql(
        f"CREATE ROLE {name} LOGIN PASSWORD 'pw' CONNECTION LIMIT 0; GRANT CREATE ON SCHEMA public TO {name}",
        name,
    )
    url = server.url(name, user=name, password="pw")
    process = start(project, "upgrade", "head", DATABASE_URL=url)
    read_until(process, f"waiting for 127.0.0.1:{server.port}: the server has no connection left")
    server.sql(f"ALTER ROLE {name} CONNECTION LIMIT -1")
    assert "Ran upgrade" in succeeded(process)


@contextmanager
def proxy_without_a_server() -> Iterator[int]:
    """A port whose connections are accepted, and closed at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close_each() -> None:
            try:
                while True:
                    listener.accept()[0].close()
            except OSError:
                return

        thread = threading.Thread(target=close_each)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_what_a_server_on_its_way_looks_like(sqlite_project: Project) -> None:
    project = sqlite_project
    with proxy_without_a_server() as port:
        for address, reason in {
            "no-such-host.invalid": "no-such-host.invalid:5432: the host's name is not known",
            f"127.0.0.1:{port}": "the server closed the connection",
            f"127.0.0.1:{port}/?sslmode=disable&x": "the server closed the connection",
            f"localhost:{free_port()}": "nothing listens there",
            "%2Fno%2Fsuch%2Ffolder": "no such file",
        }.items():
            host, _, options = address.partition("/")
            url = f"postgresql://app:hidden@{host}/dev{options.removesuffix('&x')}"
            line = failed(start(project, "upgrade", "head", DATABASE_URL=url, MIGRATION_WAIT="0.1"))
            assert "FAILED: gave up after 0.1 s (MIGRATION_WAIT): waiting for " in line
            assert reason in line
            assert "make db-up" not in line, "what the environment names is not the project's own"


def test_what_changes_a_database_waits_and_what_reads_it_does_not(sqlite_project: Project) -> None:
    project = sqlite_project
    here = NO_SERVER.replace(":1/", f":{free_port()}/")
    project.write(".env", f"DATABASE_URL={here}\nMIGRATION_WAIT=0.1\n")
    add_revision(project)
    for writes in (("upgrade", "+1"), ("downgrade", "base"), ("stamp", "head"), ("ensure_version",)):
        line = failed(start(project, *writes))
        assert "gave up after 0.1 s (MIGRATION_WAIT)" in line, writes
        assert "nothing listens there; 'make db-up' starts the development database" in line, writes
    for reads in ("migration-current", "migration-check", "migration-log", "db-test", "migrate-test"):
        line = refusal(project.make(reads, MIGRATION_WAIT="300"))
        assert "nothing listens there; 'make db-up' starts the development database" in line, reads


def test_a_command_that_waits_for_a_server_ends_when_it_is_told_to(sqlite_project: Project) -> None:
    process = start_process(sqlite_project, "upgrade", "head", DATABASE_URL=NO_SERVER)
    read_until(process, "waiting for 127.0.0.1:1: nothing listens there")
    process.send_signal(signal.SIGTERM)
    assert "interrupted" in failed(process, 10)


START = """
import asyncio, logging
from dbkit.startup import migrate_if_needed

async def main():
    print((await migrate_if_needed()).current)

logging.basicConfig()
asyncio.run(main())
"""


def test_an_application_that_migrates_at_its_start_waits_for_its_database(
    project: Project, server: PostgresServer
) -> None:
    server.stop()
    process = subprocess.Popen(
        [project.interpreter, "-c", START],
        cwd=project.path,
        env=environment(MIGRATION_WAIT="30"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    read_until(process, f"waiting for 127.0.0.1:{server.port}: nothing listens there")
    server.start()
    assert INITIAL in succeeded(process)
