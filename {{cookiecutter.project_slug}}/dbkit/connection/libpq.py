"""What stands behind `postgresql://`, read as libpq reads it and handed over to asyncpg.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

import re
from typing import Any
from urllib.parse import quote, unquote, urlencode

from sqlalchemy import URL

DEFAULT_PORT = 5432
CONNECT_TIMEOUT = 10.0  # seconds; libpq would wait for ever, asyncpg a minute

# asyncpg gives these libpq's meaning when they stand in a DSN.
IN_DSN = {
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
    *("application_name", "options", "passfile", "krbsrvname", "gsslib"),
}
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# Sizes of the two statement caches, asyncpg's and SQLAlchemy's: 0 behind a connection pooler.
CACHES = ("statement_cache_size", "prepared_statement_cache_size")

# The shortest password that leaves no `@` in hosts and database, nor in what is no list of
# options: so it is found whole even where nobody percent-encoded it.
PARTS = re.compile(
    r"(?:(?P<user>[^:/@]*)(?::(?P<password>.*?))?@)?(?P<hosts>[^/?#@]*)"
    r"(?:/(?P<database>[^?@]*))?(?:\?(?P<query>[^@]*|(?:\w+=[^&]*(?:&|$))+))?",
    re.DOTALL,
)


def translate(rest: str) -> tuple[URL, dict[str, Any]]:
    """A URL without its scheme → SQLAlchemy's URL, and keyword arguments of `asyncpg.connect`.

    Raises:
        ValueError: names the option or the part of the URL that asyncpg cannot honour.
    """
    parts = PARTS.fullmatch(rest)
    if parts is None:
        raise ValueError("not a PostgreSQL URL; percent-encode what is special in the password")
    text = {name: unquote(value) for name, value in parts.groupdict().items() if value is not None}
    options = _options(parts["query"] or "")

    hosts = [host for listed in options.pop("host", []) for host in listed.split(",")]
    pairs = [_host_and_port(host) for host in hosts or filter(None, parts["hosts"].split(","))]
    ports = ",".join(options.pop("port", [])).split(",")
    if ports != [""]:
        pairs = pairs or [("", "")]
        ports = ports * len(pairs) if len(ports) == 1 else ports
        if len(ports) != len(pairs):
            raise ValueError(f"{len(ports)} ports for {len(pairs)} hosts")
        pairs = [(host, port) for (host, _), port in zip(pairs, ports, strict=True)]
    addresses = [(host, _port(port)) for host, port in pairs]

    single = {name: values[-1] for name, values in options.items()}
    url = URL.create(
        "postgresql+asyncpg",
        username=single.pop("user", text.get("user")),
        password=single.pop("password", text.get("password")),
        database=single.pop("dbname", text.get("database")),
    )
    arguments = _arguments(single)
    if len(addresses) == 1 and not addresses[0][0].startswith("/"):
        return url.set(host=addresses[0][0] or None, port=addresses[0][1]), arguments
    if addresses:  # several, or a socket: nothing that an SQLAlchemy URL can hold
        arguments["host"] = [host for host, _ in addresses]
        arguments["port"] = [port for _, port in addresses]
    return url, arguments


def _options(query: str) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for pair in filter(None, query.split("&")):
        name, equals, value = pair.partition("=")
        if not equals or "@" in pair:  # a piece of a password: say nothing of what it holds
            raise ValueError("options are name=value; percent-encode ? & @ in the password")
        options.setdefault(unquote(name), []).append(unquote(value))
    return options


def _host_and_port(text: str) -> tuple[str, str]:
    """Of one host: a name, an address, or the folder of a socket; `%2Frun:6543` has a port too."""
    if text.startswith("/") or re.fullmatch(r"[\da-f.]*:[\da-f.]*:[\da-f:.]*", text, re.IGNORECASE):
        return text, ""
    bracketed = re.fullmatch(r"\[(?P<host>[^]]+)](?::(?P<port>.*))?", text)
    if bracketed:
        return unquote(bracketed["host"]), bracketed["port"] or ""
    host, _, port = text.partition(":")
    return unquote(host), port


def _port(text: str) -> int:
    if not text:
        return DEFAULT_PORT
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError("a port is a number below 65536; percent-encode a : in the password")
    return int(text)


def _arguments(options: dict[str, str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {"timeout": CONNECT_TIMEOUT}
    in_dsn: dict[str, str] = {}
    for name, value in options.items():
        if name in ("sslmode", "ssl"):  # the second is asyncpg's own name for it
            if value not in SSL_MODES:
                raise ValueError(f"{name} is one of {', '.join(SSL_MODES)}")
            in_dsn["sslmode"] = value
        elif name == "sslrootcert" and value == "system":
            raise ValueError("sslrootcert=system: asyncpg wants the path of a certificate file")
        elif name in IN_DSN:
            in_dsn[name] = value
        elif name in ("connect_timeout", *CACHES):
            if not (value.isascii() and value.isdigit()):
                raise ValueError(f"{name} is a whole number")
            if name in CACHES:
                arguments[name] = int(value)
            else:  # libpq's 0 waits for ever, as None does here
                arguments["timeout"] = float(value) or None
        elif name == "channel_binding" and value != "require":
            continue  # "prefer" and "disable" allow what asyncpg does: none
        else:
            raise ValueError(f"asyncpg cannot honour the option {name!r}; take it out of the URL")
    if in_dsn:
        arguments["dsn"] = "postgresql:///?" + urlencode(in_dsn, quote_via=quote)
    return arguments
