"""Any `DATABASE_URL` means what libpq and SQLite say it means, or is refused by name."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from app import PROJECT
from dbkit.connection import create_engine
from dbkit.connection.url import DatabaseURLError, parse_database_url
from dbkit.testing.throwaway import renamed
from support.database_urls import HARD, SCHEMES
from support.projects import Project

PASSWORDS = [*HARD, HARD, "?a=b&c=d", "100%", "%zz", " ", "a@b:c@d", "//", "🚀ß"]
pytestmark = pytest.mark.usefixtures("bare_environment")


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
    limit = 2.0 if len(hosts) > 1 else 10.0  # for each host
    usual = {"user": "u", "password": "p", "hosts": ["h:5432"], "database": "d", "timeout": limit}
    assert said.keys() >= usual.keys()
    return {name: value for name, value in said.items() if (name, value) not in usual.items()}


FORMS: dict[str, dict[str, Any]] = {
    **{f"{scheme}://u:p@h/d": {} for scheme in SCHEMES},
    "  postgresql://u:p@h/d\n": {},
    "postgresql://u:p@h:5432/d?": {},
    "postgresql://u:p@h:/d": {},
    "postgresql://u:p@h:6543/d": {"hosts": ["h:6543"]},
    "postgresql://u:p@h:6543/d?port=7": {"hosts": ["h:7"]},
    "postgresql://u:p@h:6543/d?port=": {},
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
    "postgresql://u:p@a,b/d?connect_timeout=5": {"hosts": ["a:5432", "b:5432"], "timeout": 5.0},
    "postgresql://u:p@a,b/d?target_session_attrs=read-write": {
        "hosts": ["a:5432", "b:5432"],
        "target_session_attrs": "read-write",
    },
    "postgresql://u:p@h/d?channel_binding=prefer": {},
    "postgresql://u:p@h/d?channel_binding=disable&gssencmode=disable": {},
    "postgresql://u:p@h/d?gssencmode=prefer": {},
    "postgresql://u:p@h/d?command_timeout=2.5": {"command_timeout": 2.5},
    # an option replaces its own half of the address
    "postgresql://u:p@h:6000/d?host=g": {"hosts": ["g:6000"]},
    "postgresql://u:p@h:6000/d?host=127.0.0.1,::1": {"hosts": ["127.0.0.1:6000", "::1:6000"]},
    "postgresql://u:p@h:6000/d?host=g:7": {"hosts": ["g:7"]},
    "postgresql://u:p@a:1,b:2/d?host=x,y": {"hosts": ["x:1", "y:2"]},
    # what libpq's own tests have
    "postgresql://u:p@%68/d": {},
    "postgresql://h/d?u%73er=u&password=p": {},
    "postgresql://u:p@[2001:db8::1234]/d": {"hosts": ["2001:db8::1234:5432"]},
    "postgresql://u:p@?host=/path/to/socket&dbname=d": {"hosts": ["/path/to/socket:5432"]},
    "postgresql://u:p@:12345/d?host=/path/to/socket": {"hosts": ["/path/to/socket:12345"]},
    "postgresql://u:p@:12345/d": {"hosts": ["None:12345"]},
    "postgres://:12345?host=/socket": {
        "user": None,
        "password": None,
        "database": None,
        "hosts": ["/socket:12345"],
    },
    "postgres://@h/d?user=u&password=p": {},
    "postgresql://": {"user": None, "password": None, "database": None, "hosts": ["None:None"]},
    "postgres:///d": {"user": None, "password": None, "hosts": ["None:None"]},
    "postgresql://u:p@h/d?statement_cache_size=0&prepared_statement_cache_size=0": {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
    },
}


@pytest.mark.parametrize("text", FORMS)
def test_another_database_of_the_same_server_has_the_same_url_but_its_name(text: str) -> None:
    assert meaning(renamed(text, "a/b ?%")) == {**meaning(text), "database": "a/b ?%"}


@pytest.mark.parametrize(("text", "expected"), FORMS.items(), ids=FORMS)
def test_a_postgresql_url_means_what_libpq_says(text: str, expected: dict[str, Any]) -> None:
    assert meaning(text) == expected


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("rest", ["@h/d", "@a:1,[::1]:2/d?sslmode=require"])
def test_a_password_arrives_whole_as_it_is_and_percent_encoded(password: str, rest: str) -> None:
    encoded = parse_database_url(f"postgresql://u:{quote(password, safe='')}{rest}")
    assert encoded.url.password == password
    typed = f"postgresql://u:{password}{rest}"
    if re.search(r"%(?![\da-fA-F]{2})", password):  # libpq refuses it, too
        with pytest.raises(DatabaseURLError, match="a % that begins no escape: write %25"):
            parse_database_url(typed)
    else:
        assert parse_database_url(typed) == encoded


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
    "postgresql://u:p@a,/d": "a host is missing beside a comma",
    "postgresql://u:p@/d?host=,b": "a host is missing beside a comma",
    "postgresql://u:p@::1/d": "stands in brackets: [::1]:5432",
    "postgresql://u:secret@h/d?sslmode=sometimes": "sslmode is one of disable, allow, prefer",
    "postgresql://u:secret@h/d?sslmode": "name=value",
    "postgresql://u:secret@h/d?sslrootcert=system": "sslrootcert=system",
    "postgresql://u:secret@h/d?connect_timeout=soon": "connect_timeout is a whole number",
    "postgresql://u:secret@h/d?statement_cache_size=x": "statement_cache_size is a whole number",
    "postgresql://u:secret%00@h/d": "%00 is no character",
    "postgresql://u:secret@a%00b/d": "%00 is no character",
    "postgresql://u:secret@%zz/d": "a % that begins no escape: write %25",
    "postgresql://u:secret@%1/d": "a % that begins no escape",
    "postgresql://u:secret@%/d": "a % that begins no escape",
    "postgresql://u:secret@h/d?dbname=%XXfoo": "a % that begins no escape",
    "postgresql://u:secret@h/d?u%7aer=x": "'uzer' is no option of a PostgreSQL URL",
    "postgresql://u:secret@h/d?uzer=": "'uzer' is no option of a PostgreSQL URL",
    "postgresql://u:secret@h/d?search_path=x": "written options=-c%20name%3Dvalue",
    "postgresql://u:secret@h/d?sslmode=key=value": "options are name=value",
    "postgre://u:secret@h/d": "begins with neither",
    "postgres://u:secret@[::1": "stands in brackets: [::1]:5432",
    "postgres://u:secret@[]": "stands in brackets: [::1]:5432",
    "postgres://u:secret@[::1]z": "stands in brackets: [::1]:5432",
    "postgresql://u:secret@db..example.com/d": "db..example.com is no name of a host",
    f"postgresql://u:secret@{'a' * 64}.com/d": "is no name of a host",
    "postgresql://u:secret@h/d?target_session_attrs=bogus": "target_session_attrs is one of any, read-write",
    "postgresql://u:secret@h/d?sslnegotiation=maybe": "sslnegotiation is one of postgres, direct",
    "postgresql://u:secret@h/d?ssl_min_protocol_version=3": "ssl_min_protocol_version is one of TLSv1",
    "postgresql://u:secret@h/d?gssencmode=maybe": "gssencmode is one of disable, prefer, require",
    "postgresql://u:secret@h/d?channel_binding=require": "write channel_binding=prefer, and sslmode=",
    "postgresql://u:secret@h/d?command_timeout=soon": "command_timeout is a number of seconds",
    **{
        f"postgresql://u:secret@h/d?{option}=require": f"option '{option}'"
        for option in (
            *(
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


def test_a_project_on_sqlite_starts_without_the_driver_of_postgresql(sqlite_project: Project) -> None:
    started = "import sys, dbkit.startup, dbkit.metrics, app.main; print('asyncpg' in sys.modules)"
    # By itself: the processes of other tests come from one that has imported much already.
    command = [sys.executable, "-c", started]
    said = subprocess.run(
        command, cwd=sqlite_project.path, env={}, capture_output=True, text=True, check=True
    )
    assert said.stdout == "False\n"
