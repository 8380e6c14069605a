"""Any `DATABASE_URL` means what libpq and SQLite say it means, or is refused by name."""

import asyncio
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
import trustme
from sqlalchemy import NullPool

from app import PROJECT
from app.database.errors import DatabaseUnavailable, one_line
from app.database.session import create_engine
from app.database.url import DatabaseURLError, parse_database_url
from projects import FOREIGN
from servers import PostgresServer, free_port, running_server

HARD = "%@:/#? w%&=["
PASSWORDS = [*HARD, HARD, "?a=b&c=d", "100%", "%zz", " ", "a@b:c@d", "//", "🚀ß"]


@pytest.fixture(autouse=True)
def only_the_url_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a developer's `PGPASSWORD` nor the certificates in the home folder."""
    for name in filter(FOREIGN.search, list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def meaning(text: str) -> dict[str, Any]:
    """What the URL says, whichever road it takes to the driver; only what differs from the usual."""
    database = parse_database_url(text)
    assert database.url.drivername == "postgresql+asyncpg"
    arguments = dict(database.connect_args)
    options = dict(parse_qsl(arguments.pop("dsn", "").partition("?")[2], strict_parsing=False))
    hosts = arguments.pop("host", [database.url.host])
    ports = arguments.pop("port", [database.url.port])
    said = {
        "user": database.url.username,
        "password": database.url.password,
        "hosts": [f"{host}:{port}" for host, port in zip(hosts, ports, strict=True)],
        "database": database.url.database,
        **options,
        **arguments,
    }
    usual = {"user": "u", "password": "p", "hosts": ["h:5432"], "database": "d", "timeout": 10.0}
    assert said.keys() >= usual.keys()
    return {name: value for name, value in said.items() if (name, value) not in usual.items()}


SCHEMES = [
    *("postgres", "postgresql", "postgresql+asyncpg", "postgres+asyncpg", "postgresql+psycopg2"),
    *("postgresql+psycopg", "postgresql+psycopg_async", "postgresql+pg8000"),
]
FORMS: dict[str, dict[str, Any]] = {
    **{f"{scheme}://u:p@h/d": {} for scheme in SCHEMES},
    "  postgresql://u:p@h/d\n": {},
    "postgresql://u:p@h:5432/d?": {},
    "postgresql://u:p@h:/d": {},
    "postgresql://u:p@h:6543/d": {"hosts": ["h:6543"]},
    "postgresql://u:p@h:6543/d?port=7": {"hosts": ["h:7"]},
    "postgresql://h/d": {"user": None, "password": None},
    "postgresql://u@h/d": {"password": None},
    "postgresql://u:@h/d": {"password": ""},
    "postgresql://u:p@h": {"database": None},
    "postgresql://u:p@/d": {"hosts": ["None:None"]},
    "postgresql://u:p@/d?port=6543": {"hosts": ["None:6543"]},
    "postgresql://u%40x:p@h/d%20e": {"user": "u@x", "database": "d e"},
    "postgresql:///?user=u&password=p&host=h&dbname=d": {},
    # several hosts
    "postgresql://u:p@a:1,b:2/d": {"hosts": ["a:1", "b:2"]},
    "postgresql://u:p@a,b/d": {"hosts": ["a:5432", "b:5432"]},
    "postgresql://u:p@a,b:2/d": {"hosts": ["a:5432", "b:2"]},
    "postgresql://u:p@a,b/d?port=1,2": {"hosts": ["a:1", "b:2"]},
    "postgresql://u:p@/d?host=a:1&host=b:2": {"hosts": ["a:1", "b:2"]},
    "postgresql://u:p@/d?host=a,b&port=1,2": {"hosts": ["a:1", "b:2"]},
    "postgresql://u:p@/d?host=a,b&port=7": {"hosts": ["a:7", "b:7"]},
    "postgresql://u:p@/d?host=a&host=b&port=1&port=2": {"hosts": ["a:1", "b:2"]},
    # IPv6
    "postgresql://u:p@[::1]/d": {"hosts": ["::1:5432"]},
    "postgresql://u:p@[fe80::1%25eth0]:6543/d": {"hosts": ["fe80::1%eth0:6543"]},
    "postgresql://u:p@[::1]:1,[::2]:2/d": {"hosts": ["::1:1", "::2:2"]},
    "postgresql://u:p@/d?host=::1": {"hosts": ["::1:5432"]},
    # the folder of a Unix socket
    "postgresql://u:p@%2Fvar%2Frun/d": {"hosts": ["/var/run:5432"]},
    "postgresql://u:p@%2Fvar%2Frun:6543/d": {"hosts": ["/var/run:6543"]},
    "postgresql://u:p@/d?host=/var/run": {"hosts": ["/var/run:5432"]},
    "postgresql://u:p@/d?host=/var/run&port=6543": {"hosts": ["/var/run:6543"]},
    "postgresql://u:p@/d?host=/a,/b": {"hosts": ["/a:5432", "/b:5432"]},
    # libpq's options
    **{
        f"postgresql://u:p@h/d?sslmode={mode}": {"sslmode": mode}
        for mode in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
    },
    "postgresql://u:p@h/d?ssl=require": {"sslmode": "require"},
    "postgresql://u:p@h/d?sslrootcert=/a%20b/ca.crt": {"sslrootcert": "/a b/ca.crt"},
    "postgresql://u:p@h/d?sslcert=c.crt&sslkey=c.key": {"sslcert": "c.crt", "sslkey": "c.key"},
    "postgresql://u:p@h/d?application_name=a+b%20c%26": {"application_name": "a+b c&"},
    "postgresql://u:p@h/d?options=-c%20a%3D1%20-c%20b=2": {"options": "-c a=1 -c b=2"},
    "postgresql://u:p@h/d?connect_timeout=3": {"timeout": 3.0},
    "postgresql://u:p@h/d?connect_timeout=0": {"timeout": None},
    "postgresql://u:p@a,b/d?target_session_attrs=read-write": {
        "hosts": ["a:5432", "b:5432"],
        "target_session_attrs": "read-write",
    },
    "postgresql://u:p@h/d?channel_binding=prefer": {},
    "postgresql://u:p@h/d?statement_cache_size=0&prepared_statement_cache_size=0": {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
    },
}


@pytest.mark.parametrize(("text", "expected"), FORMS.items(), ids=FORMS)
def test_a_postgresql_url_means_what_libpq_says(text: str, expected: dict[str, Any]) -> None:
    assert meaning(text) == expected


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("rest", ["@h/d", "@a:1,[::1]:2/d?sslmode=require"])
def test_a_password_arrives_whole_as_it_is_and_percent_encoded(password: str, rest: str) -> None:
    encoded = parse_database_url(f"postgresql://u:{quote(password, safe='')}{rest}")
    assert encoded.url.password == password
    assert parse_database_url(f"postgresql://u:{password}{rest}") == encoded


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite://", ":memory:"),
        ("sqlite:///", ":memory:"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite+aiosqlite:///:memory:", ":memory:"),
        ("sqlite:///dev.db", str(PROJECT / "dev.db")),
        ("sqlite+aiosqlite:///dev.db", str(PROJECT / "dev.db")),
        ("sqlite+pysqlite:///data/dev.db", str(PROJECT / "data/dev.db")),
        ("sqlite:///a b%20#.db", str(PROJECT / "a b #.db")),
        ("sqlite:////var/dev.db", "/var/dev.db"),
        ("sqlite:///file:/var/dev.db?mode=ro&uri=true", "file:/var/dev.db"),
        ("sqlite:///file:x?mode=memory&uri=true", "file:x"),
    ],
)
def test_an_sqlite_path_is_relative_to_the_project(
    text: str, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    database = parse_database_url(text)
    assert (database.url.drivername, database.name) == ("sqlite+aiosqlite", path)
    assert database.in_memory == ("memory" in text or path == ":memory:")


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_database_in_memory_is_one_for_all_connections(text: str) -> None:
    async def count() -> int:
        engine = create_engine(parse_database_url(text))
        async with engine.begin() as first:
            await first.exec_driver_sql("CREATE TABLE t AS SELECT 1 AS a")
        async with engine.connect() as second:
            found: int = (await second.exec_driver_sql("SELECT count(*) FROM t")).scalar_one()
        await engine.dispose()
        return found

    assert asyncio.run(count()) == 1


REFUSED = {
    "": "begins with neither",
    "u:secret@h/d": "begins with neither",
    "postgresql:/u:secret@h/d": "begins with neither",
    "mysql://u:secret@h/d": "begins with neither",
    "sqlite+pysqlcipher://:secret@/x.db": "begins with neither",
    "postgresql://u@x:secret@h/d": "percent-encode",
    "postgresql://u:p@h:secret/d": "a port is",
    "postgresql://u:p@h:0/d": "a port is",
    "postgresql://u:p@h:65536/d": "a port is",
    "postgresql://u:p@a,b/d?port=1,2,3": "3 ports for 2 hosts",
    "postgresql://u:secret@h/d?sslmode=sometimes": "sslmode is one of disable, allow, prefer",
    "postgresql://u:secret@h/d?sslmode": "name=value",
    "postgresql://u:secret@h/d?sslrootcert=system": "sslrootcert=system",
    "postgresql://u:secret@h/d?connect_timeout=soon": "connect_timeout is a whole number",
    "postgresql://u:secret@h/d?statement_cache_size=x": "statement_cache_size is a whole number",
    **{
        f"postgresql://u:secret@h/d?{option}=require": f"option '{option}'"
        for option in (
            *(
                "channel_binding",
                "gssencmode",
                "hostaddr",
                "keepalives",
                "load_balance_hosts",
                "require_auth",
            ),
            *(
                "service",
                "sslcompression",
                "sslsni",
                "client_encoding",
                "fallback_application_name",
                "nonsense",
            ),
        )
    },
    "sqlite://dev.db": "three slashes",
    "sqlite:///dev.db?timeout=5": "no option 'timeout'",
    "sqlite:///dev.db?mode=ro": "no option 'mode' without file:",
    "sqlite:///file:dev.db?mode=ro&uri=true": "absolute",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_translated_is_refused_by_name_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(DatabaseURLError) as refusal:
        parse_database_url(text)
    assert reason in str(refusal.value)
    assert "secret" not in repr(refusal.value)
    assert "\n" not in str(refusal.value)
    assert refusal.value.__context__ is None or refusal.value.__suppress_context__  # that may quote the URL


def test_neither_repr_nor_str_shows_the_password() -> None:
    database = parse_database_url("postgresql://u:secret@a,b/d?sslpassword=secret")
    assert "secret" not in f"{database!r} {database} {database.url} {database.server}"
    assert database.server == "a:5432,b:5432"


# ---- against servers


def ask(url: str, question: str) -> str:
    """The answer of a real server. Raises `DatabaseUnavailable` with what a user would read."""

    async def connect() -> str:
        database = parse_database_url(url)
        engine = create_engine(database, poolclass=NullPool)
        try:
            with one_line(database):
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


@pytest.fixture(scope="module")
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
    assert "target_session_attrs" in refused(f"postgresql://reader:pw{dead}nonsense")


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
    for typed in (password, quote(password, safe="")):
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
