"""`make db-test` and `make db-shell`, on a server of `make db-up` and on others."""

import ast
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trustme

from support.devserver_project import DevServerProject
from support.projects import ok, refusal
from support.servers import PostgresServer, bindir, running_server
from support.stubs import Stub

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bindir() is None, reason="no PostgreSQL on this machine"),
]


@pytest.fixture
def shop(shop_with_server: DevServerProject) -> DevServerProject:
    """A project whose `db-up` started its server."""
    return shop_with_server


def test_db_test_prints_server_version_and_round_trip(shop: DevServerProject) -> None:
    said = ok(shop.database("test"))
    version = shop.sql("SHOW server_version")[0].split()[0]
    assert f"PostgreSQL {version} on 127.0.0.1:{shop.port}, database shop_dev, without TLS" in said
    assert "round trip" in said
    assert " ms" in said


def test_db_test_says_when_there_is_tls(shop: DevServerProject) -> None:
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
def test_db_test_fails_in_one_line_that_says_why(shop: DevServerProject, url: str, reason: str) -> None:
    url = url.format(port=shop.port, password=shop.password)
    result = shop.database("test", DATABASE_URL=url)
    assert reason in refusal(result)
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert "s3cret" not in result.stderr


def test_db_test_of_an_sqlite_file_reads_it_and_makes_none(shop: DevServerProject) -> None:
    variables = {"DATABASE_URL": "sqlite:///tested.db"}
    file = shop.path / "tested.db"
    assert "does not exist yet" in ok(shop.database("test", **variables))
    assert not file.exists()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (x)")
    assert f"SQLite {sqlite3.sqlite_version[:2]}" in ok(shop.database("test", **variables))
    file.write_bytes(b"something else entirely" * 100)
    assert "not a database" in refusal(shop.database("test", **variables))


@pytest.fixture
def psql(shop: DevServerProject) -> Iterator[Stub]:
    """A psql that shows how it was called."""
    stub = Stub(shop.path.parent / "bin", "psql", shop.user)
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


def test_every_form_of_a_url_is_given_to_psql_without_its_password(shop: DevServerProject) -> None:
    script = (
        "import sys; from dbkit.connection.shell import libpq_url as f; print([f(u) for u in sys.argv[1:]])"
    )
    said = ok(shop.run(shop.user.python, "-c", script, *(url for url, _, _ in FORMS)))
    assert ast.literal_eval(said) == [(argument, password) for _, argument, password in FORMS]


def test_db_shell_gives_psql_the_password_in_its_environment(shop: DevServerProject, psql: Stub) -> None:
    url = "postgresql+asyncpg://a:s3cret@h:1/d?sslmode=require"
    ok(shop.database("shell", DATABASE_URL=url, PATH=psql.path))
    [(arguments, variables)] = psql.calls
    assert arguments == ["postgresql://a@h:1/d?sslmode=require"]
    assert variables["PGPASSWORD"] == "s3cret"


def test_db_client_gives_the_password_of_migrations_in_the_environment(
    shop: DevServerProject, psql: Stub
) -> None:
    """What stands in the arguments of a process, everybody on the machine can read."""
    url = "postgresql+asyncpg://a:s3cret@h:1/d?sslmode=require"
    client = [shop.user.python, "-m", "dbkit", "db-client"]
    ok(shop.run(*client, "psql", "-c", "SELECT 1", MIGRATION_DATABASE_URL=url, PATH=psql.path))
    [(arguments, variables)] = psql.calls
    assert arguments == ["--dbname=postgresql://a@h:1/d?sslmode=require", "-c", "SELECT 1"]
    assert variables["PGPASSWORD"] == "s3cret"
    assert "db-client: it runs pg_dump" in refusal(shop.run(*client, "rm", "-r", "x"))
    assert "is an SQLite file" in refusal(shop.run(*client, "pg_dump", DATABASE_URL="sqlite:///x.db"))


def test_db_shell_is_psql_on_the_configured_database(shop: DevServerProject) -> None:
    result = subprocess.run(
        [shop.user.python, "-m", "dbkit", "db-shell"],
        cwd=shop.path,
        input="SELECT 'database ' || current_database();",
        capture_output=True,
        encoding="utf-8",
        **shop.user.options,
    )
    assert "database shop_dev" in ok(result)


def test_db_shell_finds_the_psql_of_the_development_server(shop: DevServerProject) -> None:
    script = "from dbkit.connection.shell import _psql; print(_psql())"
    found = ok(shop.run(shop.user.python, "-c", script, PATH="/nowhere")).strip()
    assert Path(found).name == "psql"
    assert os.access(found, os.X_OK)


def test_db_shell_without_a_psql_is_a_line(shop: DevServerProject) -> None:
    state = shop.path / ".database" / "server.json"
    saved = state.rename(state.with_name("saved.json"))
    try:
        assert "psql is not there" in refusal(shop.database("shell", PATH="/nowhere"))
    finally:
        saved.rename(state)


@pytest.mark.parametrize("has_sqlite3", [True, False], ids=["sqlite3", "python"])
def test_db_shell_opens_an_sqlite_file(shop: DevServerProject, has_sqlite3: bool) -> None:
    if has_sqlite3 and shutil.which("sqlite3") is None:
        pytest.skip("no sqlite3 on this machine")
    version = ok(shop.run(shop.user.python, "-c", "import sys; print(*sys.version_info[:2])"))
    file = shop.path / "shell.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    shop.user.own(file)
    result = subprocess.run(
        [shop.user.python, "-m", "dbkit", "db-shell"],
        cwd=shop.path,
        env=dict(os.environ)
        | {"DATABASE_URL": "sqlite:///shell.db"}
        | ({} if has_sqlite3 else {"PATH": "/nowhere"}),
        input="SELECT answer FROM kept;\n",
        capture_output=True,
        encoding="utf-8",
        **shop.user.options,
    )
    if not has_sqlite3 and tuple(map(int, version.split())) < (3, 12):
        assert "sqlite3 is not there" in refusal(result)
    else:
        assert "42" in ok(result)
    file.unlink()


def test_an_unknown_command_is_a_usage_line(shop: DevServerProject) -> None:
    assert "usage: python -m dbkit" in shop.database("drop").stderr
    assert "invalid choice: 'db-drop'" in refusal(shop.database("drop"))
