"""What stands behind `postgresql://`, read as libpq reads it and handed over to asyncpg.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

import re
from typing import Any
from urllib.parse import quote
from urllib.parse import unquote as decode

from sqlalchemy import URL

from dbkit.connection.libpq_options import driver_arguments

DEFAULT_PORT = 5432
ONE_OF_SEVERAL = "2"  # seconds to connect to one of several hosts
IPV6 = re.compile(r"[\da-f.]*:[\da-f.]*:[\da-f:.]*", re.IGNORECASE)
BRACKETS = "an address of version 6 stands in brackets: [::1]:5432"

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
    addresses = _addresses(parts["hosts"], options.pop("host", []), options.pop("port", []))

    single = {name: values[-1] for name, values in options.items()}
    url = URL.create(
        "postgresql+asyncpg",
        username=single.pop("user", text.get("user")),
        password=single.pop("password", text.get("password")),
        database=single.pop("dbname", text.get("database")),
    )
    if len(addresses) > 1:  # the next one is there
        single.setdefault("connect_timeout", ONE_OF_SEVERAL)
    arguments = driver_arguments(single)
    if len(addresses) == 1 and not addresses[0][0].startswith("/"):
        return url.set(host=addresses[0][0] or None, port=addresses[0][1]), arguments
    if addresses:  # several, or a socket: nothing that an SQLAlchemy URL can hold
        arguments["host"] = [host for host, _ in addresses]
        arguments["port"] = [port for _, port in addresses]
    return url, arguments


def rename(rest: str, name: str) -> str:
    """Return a URL without its scheme, with another database's name. `translate` accepts it."""
    parts = PARTS.fullmatch(rest)
    if parts is None:
        raise ValueError("not a PostgreSQL URL")
    options = (parts["query"] or "").split("&")
    kept = "&".join(option for option in options if unquote(option.partition("=")[0]) != "dbname")
    server = rest[: parts.end("hosts")]
    return f"{server}/{quote(name, safe='')}" + (f"?{kept}" if kept else "")


def unquote(text: str) -> str:
    """Decode what is percent-encoded; as libpq does, refuse NUL and a `%` that begins no escape."""
    if re.search(r"%(?![\da-fA-F]{2})", text):
        raise ValueError("a % that begins no escape: write %25")
    if "%00" in text:
        raise ValueError("%00 is no character of a name or password")
    return decode(text)


def _addresses(authority: str, hosts: list[str], ports: list[str]) -> list[tuple[str, int]]:
    """Return hosts and ports: of the authority, `u@host:port`, unless an option says otherwise.

    An option replaces its own half alone, as in libpq: the port stays where `host` is given.
    """
    if any(map(IPV6.fullmatch, authority.split(","))):
        raise ValueError(BRACKETS)
    pairs = [_host_and_port(host) for host in authority.split(",")] if authority else []
    is_told, ports = bool(ports), [port for listed in ports for port in listed.split(",")]
    if hosts:
        ports = ports or [port for _, port in pairs]
        pairs = [_host_and_port(host) for listed in hosts for host in listed.split(",")]
    if is_told or any(ports):  # an empty option is the default port
        pairs = pairs or [("", "")]
        ports = ports * len(pairs) if len(ports) == 1 else ports
        if len(ports) != len(pairs):
            raise ValueError(f"{len(ports)} ports for {len(pairs)} hosts")
        own = [port for _, port in pairs] if hosts else [""] * len(pairs)  # host=name:port
        pairs = [
            (host, mine or port) for (host, _), mine, port in zip(pairs, own, ports, strict=True)
        ]
    if len(pairs) > 1 and not all(host for host, _ in pairs):  # libpq would add this machine
        raise ValueError("a host is missing beside a comma")
    return [(_known_to_resolvers(host), _port(port)) for host, port in pairs]


def _known_to_resolvers(host: str) -> str:
    """Return a host's name, unless no resolver would take it: an empty or a long part."""
    try:
        host.encode("idna")
    except UnicodeError:
        if not host.startswith("/"):
            raise ValueError(f"{host} is no name of a host") from None
    return host


def _options(query: str) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for pair in filter(None, query.split("&")):
        name, equals, value = pair.partition("=")
        is_piece = "@" in pair or ("=" in value and name != "options")
        if not equals or is_piece:  # a piece of a password: say nothing of what it holds
            raise ValueError("options are name=value; percent-encode ? & @ = elsewhere")
        options.setdefault(unquote(name), []).append(unquote(value))
    return options


def _host_and_port(text: str) -> tuple[str, str]:
    """Of one host: a name, an address, or the folder of a socket; `%2Frun:6543` has a port too."""
    if text.startswith("/") or IPV6.fullmatch(text):
        return text, ""
    bracketed = re.fullmatch(r"\[(?P<host>[^]]+)](?::(?P<port>.*))?", text)
    if bracketed:
        return unquote(bracketed["host"]), bracketed["port"] or ""
    if text.startswith("["):
        raise ValueError(BRACKETS)
    host, _, port = text.partition(":")
    return unquote(host), port


def _port(text: str) -> int:
    if not text:
        return DEFAULT_PORT
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError("a port is a number below 65536; percent-encode a : in the password")
    return int(text)
