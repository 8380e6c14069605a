"""What a URL asks for is what a real server sees: TLS, options, hosts, sockets, passwords."""

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from sqlalchemy import NullPool

from dbkit.connection import create_engine, one_line_errors
from dbkit.connection.url import parse_database_url
from dbkit.errors import DatabaseUnavailable
from support.database_urls import HARD, SCHEMES
from support.servers import PostgresServer, free_port, running_server

pytestmark = pytest.mark.usefixtures("bare_environment")


def ask(url: str, question: str) -> str:
    """The answer of a real server. Raises `DatabaseUnavailable` with what a user would read."""

    async def connect() -> str:
        database = parse_database_url(url)
        engine = create_engine(database, poolclass=NullPool)
        try:
            with one_line_errors(database):
                async with engine.connect() as connection:
                    return str((await connection.exec_driver_sql(question)).scalar())
        finally:
            await engine.dispose()
            await asyncio.sleep(0.01)  # asyncpg's failed attempts close their sockets a moment later

    return asyncio.run(connect())


def refused(url: str) -> str:
    """Why no connection comes about, which shows no secret."""
    with pytest.raises(DatabaseUnavailable) as refusal:
        ask(url, "SELECT 1")
    said = str(refusal.value)
    assert "pw" not in said
    assert "\n" not in said
    return said


TLS = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
HBA = """\
local     all all                    scram-sha-256
hostssl   all encrypted   all        scram-sha-256
hostnossl all plain       all        scram-sha-256
hostssl   all certified   all        cert
host      all postgres,either,reader all scram-sha-256
"""


class TLSServer:
    """A server with a certificate for `localhost` alone, and its authority, and a wrong one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority, other = trustme.CA(), trustme.CA()
        for name, authority in (("ca", self.authority), ("wrong", other)):
            authority.cert_pem.write_to_path(str(folder / f"{name}.crt"))
        for name in ("certified", "somebody"):
            client = self.authority.issue_cert(f"{name}@example.com", common_name=name)
            client.private_key_pem.write_to_path(str(folder / f"{name}.key"))
            client.cert_chain_pems[0].write_to_path(str(folder / f"{name}.crt"))
        self.server: PostgresServer

    def prepare(self, server: PostgresServer) -> None:
        self.server = server
        own = self.authority.issue_cert("localhost")
        server.write("server.key", own.private_key_pem.bytes().decode())
        server.write("server.crt", own.cert_chain_pems[0].bytes().decode())
        server.write("ca.crt", self.authority.cert_pem.bytes().decode())
        server.write("pg_hba.conf", HBA)
        server.settings |= {"ssl": "on", "ssl_ca_file": "ca.crt", "password_encryption": "scram-sha-256"}

    def url(self, user: str, *options: str, host: str = "localhost") -> str:
        return f"postgresql://{user}:pw@{host}:{self.server.port}/postgres?{'&'.join(options)}"

    def file(self, name: str) -> str:
        return quote(str(self.folder / name))


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TLSServer]:
    tls = TLSServer(tmp_path_factory.mktemp("certificates"))
    with running_server(tls.prepare) as server:
        for role in ("encrypted", "plain", "either", "certified", "reader"):
            server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'")
        server.sql("ALTER ROLE reader SET default_transaction_read_only = on")
        yield tls


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_connects(postgres_server: PostgresServer, scheme: str) -> None:
    assert ask(postgres_server.url(scheme=scheme), "SELECT current_database()") == "postgres"


@pytest.mark.parametrize(
    ("mode", "either", "encrypted", "plain"),
    [
        ("disable", "False", None, "False"),
        ("allow", "False", "True", "False"),
        ("prefer", "True", "True", "False"),
        ("require", "True", "True", None),
        ("verify-ca", "True", "True", None),
        ("verify-full", "True", "True", None),
    ],
)
def test_sslmode_decides_whether_a_connection_is_encrypted(
    tls: TLSServer, mode: str, either: str, encrypted: str | None, plain: str | None
) -> None:
    options = [f"sslmode={mode}"]
    if mode.startswith("verify"):
        options.append(f"sslrootcert={tls.file('ca.crt')}")
    for user, expected in (("either", either), ("encrypted", encrypted), ("plain", plain)):
        if expected is None:
            assert "refused this user, or the way of connecting" in refused(tls.url(user, *options))
        else:
            assert ask(tls.url(user, *options), TLS) == expected, user


def test_without_an_sslmode_tls_is_preferred(tls: TLSServer, postgres_server: PostgresServer) -> None:
    assert ask(tls.url("either"), TLS) == "True"
    assert ask(postgres_server.url(), TLS) == "False"


def test_what_a_url_leaves_open_variables_decide_as_for_psql(
    tls: TLSServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("*:*:*:*:pw\n")
    passwords.chmod(0o600)
    url = tls.url("either").replace(":pw", "")
    assert "refused the password" in refused(url)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    assert ask(url, TLS) == "True"
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert ask(url, TLS) == "False"
    assert ask(url + "sslmode=require", TLS) == "True"
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLROOTCERT", str(tls.folder / "wrong.crt"))
    assert "TLS failed" in refused(url)
    monkeypatch.setenv("PGSSLROOTCERT", str(tls.folder / "ca.crt"))
    assert ask(url, TLS) == "True"
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "read-only")
    assert "read-only" in refused(url)


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_mode_that_wants_tls_refuses_a_server_without(
    postgres_server: PostgresServer, mode: str, tls: TLSServer
) -> None:
    options = f"?sslmode={mode}&sslrootcert={tls.file('ca.crt')}"
    assert "SSL" in refused(postgres_server.url() + options)


@pytest.mark.parametrize(
    ("mode", "ca", "host", "reason"),
    [
        ("require", None, "127.0.0.1", None),
        (
            "require",
            "wrong.crt",
            "localhost",
            "CERTIFICATE_VERIFY_FAILED",
        ),  # as libpq: it is there, so it counts
        ("verify-ca", "ca.crt", "127.0.0.1", None),
        ("verify-ca", "wrong.crt", "localhost", "CERTIFICATE_VERIFY_FAILED"),
        ("verify-full", "ca.crt", "localhost", None),
        ("verify-full", "wrong.crt", "localhost", "CERTIFICATE_VERIFY_FAILED"),
        ("verify-full", "ca.crt", "127.0.0.1", "CERTIFICATE_VERIFY_FAILED"),
        ("verify-ca", None, "localhost", "root certificate file"),
        ("verify-full", None, "localhost", "root certificate file"),
        ("verify-full", "none.crt", "localhost", "certificate file of the URL"),
    ],
)
def test_a_server_is_verified_as_far_as_sslmode_says(
    tls: TLSServer, mode: str, ca: str | None, host: str, reason: str | None
) -> None:
    options = [f"sslmode={mode}"] + ([f"sslrootcert={tls.file(ca)}"] if ca else [])
    url = tls.url("encrypted", *options, host=host)
    if reason is None:
        assert ask(url, TLS) == "True"
    else:
        assert reason in refused(url)


def test_a_client_shows_its_certificate(tls: TLSServer) -> None:
    def url(name: str) -> str:
        own = [f"sslcert={tls.file(f'{name}.crt')}", f"sslkey={tls.file(f'{name}.key')}"] if name else []
        return tls.url("certified", "sslmode=verify-full", f"sslrootcert={tls.file('ca.crt')}", *own)

    assert ask(url("certified"), "SELECT current_user") == "certified"
    assert "refused this user" in refused(url("somebody"))
    assert "refused this user" in refused(url(""))
    assert "certificate file of the URL" in refused(url("nobody"))


def test_application_name_and_options_arrive_at_the_server(postgres_server: PostgresServer) -> None:
    url = postgres_server.url() + "?application_name=a%20%26%20b&options=-c%20statement_timeout%3D1234"
    assert ask(url, "SHOW application_name") == "a & b"
    assert ask(url, "SHOW statement_timeout") == "1234ms"


def test_the_first_host_that_lives_and_suits_is_taken(
    tls: TLSServer, postgres_server: PostgresServer
) -> None:
    reader, writer = tls.server, postgres_server
    writer.sql("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'pw'")
    ports = [free_port(), reader.port, writer.port]
    listed = ",".join(f"127.0.0.1:{port}" for port in ports)
    singly = "&".join(f"host=127.0.0.1:{port}" for port in ports)
    apart = f"host=127.0.0.1,127.0.0.1,127.0.0.1&port={','.join(map(str, ports))}"
    for url in (f"@{listed}/postgres?", f"@/postgres?{singly}&", f"@/postgres?{apart}&"):
        for attributes, port in {
            "any": reader.port,
            "primary": reader.port,
            "read-only": reader.port,
            "read-write": writer.port,
        }.items():
            chosen = ask(f"postgresql://reader:pw{url}target_session_attrs={attributes}", "SHOW port")
            assert chosen == str(port), attributes
    dead = f"@127.0.0.1:{ports[0]},127.0.0.1:{ports[2]}/postgres?target_session_attrs="
    assert f"127.0.0.1:{ports[2]}" in refused(f"postgresql://reader:pw{dead}standby")


def test_a_unix_socket_is_reached_in_every_spelling(postgres_server: PostgresServer) -> None:
    folder, port = str(postgres_server.folder), postgres_server.port
    account = f"postgresql://postgres:{postgres_server.password}"
    for rest in (
        f"@{quote(folder, safe='')}:{port}/postgres",
        f"@{quote(folder, safe='')}/postgres?port={port}",
        f"@/postgres?host={folder}&port={port}",
        f"@/postgres?host={quote(folder, safe='')}&port={port}",
        f"@/postgres?host=/nowhere,{folder}&port={port}",
    ):
        assert ask(account + rest, "SELECT inet_server_addr()") == "None", rest
    assert "no such file" in refused(f"{account}@/postgres?host=/nowhere")


def test_an_address_of_version_6_is_reached(postgres_server: PostgresServer) -> None:
    try:
        socket.create_connection(("::1", postgres_server.port)).close()
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine ({error.strerror})")
    url = postgres_server.url().replace("127.0.0.1", "[::1]")
    assert ask(url, "SELECT host(inet_server_addr())") == "::1"


@pytest.mark.parametrize("password", ["%@:/#? ", HARD, "100% a@b"])
def test_a_hard_password_opens_the_door_raw_and_encoded(
    postgres_server: PostgresServer, password: str
) -> None:
    postgres_server.sql(f"DROP ROLE IF EXISTS hard; CREATE ROLE hard LOGIN PASSWORD '{password}'")
    address = f"@127.0.0.1:{postgres_server.port}/postgres"
    is_escape = not re.search(r"%(?![\da-fA-F]{2})", password)  # libpq refuses any other %
    for typed in ([password] if is_escape else []) + [quote(password, safe="")]:
        assert ask(f"postgresql://hard:{typed}{address}", "SELECT current_user") == "hard"
    assert "refused the password" in refused(f"postgresql://hard:pw{quote(password, safe='')}{address}")


def test_connect_timeout_ends_the_wait_for_a_server_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        port = silent.getsockname()[1]
        assert "no answer in time" in refused(f"postgresql://u:pw@127.0.0.1:{port}/d?connect_timeout=1")
        assert 0.9 < time.monotonic() - begun < 5  # without it, ten


@pytest.mark.parametrize(
    ("database", "reason"),
    [("none", "no such database"), ("postgres", "refused the password")],
)
def test_a_failure_names_the_server_and_the_reason(
    postgres_server: PostgresServer, database: str, reason: str
) -> None:
    password = "" if database == "none" else "pw"
    said = refused(postgres_server.url(database, password=password))
    assert re.match(rf"127\.0\.0\.1:{postgres_server.port}: .*{reason}", said)
