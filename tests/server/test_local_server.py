"""Where no throwaway database can be made beside the live one, a server of this machine takes its place."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.database_state import add_revision
from support.devserver_project import public_folder
from support.projects import Project, ok, refusal
from support.servers import PostgresServer

START = """
import asyncio, os, sys
from dbkit.connection import connect, migration_database
from dbkit.devserver.temporary import local_server

async def main():
    like = migration_database()
    async with connect(like) as connection:
        major = connection.dialect.server_version_info[0]
    async with local_server(like, major) as server:
        print(server.url.port, flush=True)
        exec(sys.argv[1])

asyncio.run(main())
"""


@pytest.fixture
def limited(postgresql_project: Project, postgres_server: PostgresServer) -> Iterator[Project]:
    """A project whose role owns its database, and may create no other."""
    project, server = postgresql_project, postgres_server
    name = project.url.rpartition("/")[2]
    role = f"limited_{name}"
    server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'limited'; CREATE ROLE other_{role}")
    server.sql(f'ALTER DATABASE "{name}" OWNER TO {role}; ALTER SCHEMA public OWNER TO {role}', name)
    project.url = server.url(name, user=role, password="limited")
    project.write(".env", f"DATABASE_URL={project.url}\n")
    yield project
    server.sql(f'DROP DATABASE "{name}" WITH (FORCE); DROP ROLE {role}; DROP ROLE other_{role}')


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where temporary files go."""
    with public_folder() as made:
        yield made


def test_a_role_that_may_create_no_database(limited: Project, folder: Path) -> None:
    name = limited.url.rpartition("/")[2]
    add_revision(
        limited,
        'op.execute("CREATE SCHEMA app")',
        f'op.execute("GRANT SELECT ON users TO other_limited_{name}")',
        downgrade='op.execute("DROP SCHEMA app")',
    )
    ok(limited.make("migrate"))
    said = ok(limited.make("migration-check", TMPDIR=str(folder)))
    assert "this role may not create databases: throwaway databases are on this machine" in said
    limited.sql("ALTER TABLE users ALTER COLUMN email TYPE text")
    assert "drift: 1 object differs" in refusal(limited.make("migration-check", TMPDIR=str(folder)))
    assert list(folder.iterdir()) == []


def test_a_server_whose_command_was_killed_is_stopped_by_the_next(limited: Project, folder: Path) -> None:
    def start(end: str) -> "subprocess.CompletedProcess[str]":
        return limited.python("-c", START, end, TMPDIR=str(folder))

    killed = start("os.kill(os.getpid(), 9)")
    assert [found.name for found in folder.glob("*/data/postmaster.pid")] == ["postmaster.pid"]
    ok(start("pass"))
    assert list(folder.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(killed.stdout)))


@pytest.mark.long
def test_a_role_that_only_reads_and_a_search_path_of_its_own(
    limited: Project, postgres_server: PostgresServer
) -> None:
    name = limited.url.rpartition("/")[2]
    role = f"limited_{name}"
    postgres_server.sql(f'ALTER DATABASE "{name}" SET search_path = app')
    limited.sql("CREATE SCHEMA app")
    ok(limited.make("migrate"))
    postgres_server.sql(
        f"ALTER ROLE {role} CREATEDB; ALTER ROLE {role} SET default_transaction_read_only = on"
    )
    assert "nothing can be written there: throwaway" in ok(limited.make("migration-check"))
    postgres_server.sql("ALTER TABLE app.users ALTER COLUMN email TYPE text", name)
    assert "drift: 1 object differs" in refusal(limited.make("migration-check"))


def test_without_a_local_server_it_says_what_to_do(limited: Project) -> None:
    ok(limited.make("migrate"))
    shutil.rmtree(limited.path / "dbkit" / "devserver")  # as in an image
    line = refusal(limited.make("migration-check"))
    assert "this role may not create databases, and there is no PostgreSQL" in line
    assert "ALTER ROLE … CREATEDB, or name a server of PostgreSQL" in line
    assert line.endswith("in TEST_DATABASE_URL; drift and models were not compared")
    add_revision(limited)
    line = refusal(limited.make("migration-check"))
    assert line.startswith("FAILED: 1 pending ('make migrate' runs them); 127.0.0.1")
