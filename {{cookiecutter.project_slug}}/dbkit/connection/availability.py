"""Tells a database that may answer later from one that will not."""

import errno
import re
import socket
import ssl
from pathlib import Path

from dbkit.connection.url import DatabaseURL
from dbkit.errors import driver_error, sqlstate

# What a server that starts, ends or is full answers, and what breaks off when it does.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
TEMPORARY = ("08003", "08006", "53300", "57P01", "57P02", "57P03")
REFUSED = {errno.ECONNREFUSED}
BROKEN_OFF = {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE}
UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


def may_answer_later(error: BaseException, database: DatabaseURL) -> bool:
    """Tell whether a connection to `database` failed as it does while a server is starting.

    It starts or ends, another one takes over, a name is not published yet, or all connections are
    in use. A wrong password, an unknown database and a way in that is closed stay as they are.
    """
    import asyncpg  # not above: a project on SQLite starts sooner without

    error = driver_error(error)
    if isinstance(error, FileNotFoundError):
        return _lacks_socket(database)
    kinds = (TimeoutError, socket.gaierror, asyncpg.TargetServerAttributeNotMatched)
    if sqlstate(error) in TEMPORARY or isinstance(error, kinds) or is_broken_off(error):
        return True
    return bool(_errnos(error)) and _errnos(error) <= REFUSED | UNREACHABLE


def is_refused(error: BaseException) -> bool:
    """Tell whether nothing listens at any address of the host."""
    return _errnos(error) == REFUSED


def is_broken_off(error: BaseException) -> bool:
    """Tell whether the connection was closed without a word: by a proxy without a server, say."""
    is_asyncpgs = isinstance(error, ConnectionError) and "connection_lost" in str(error)
    return is_asyncpgs or (bool(_errnos(error)) and _errnos(error) <= BROKEN_OFF)


def _errnos(error: BaseException) -> set[int]:
    """Return the system's codes; of a host with several addresses asyncio joins the texts."""
    if not isinstance(error, OSError) or isinstance(error, socket.gaierror | ssl.SSLError):
        return set()
    if error.errno is not None:
        return {error.errno}
    return {int(number) for number in re.findall(r"\[Errno (\d+)\]", str(error))}


def _lacks_socket(database: DatabaseURL) -> bool:
    """Tell whether a socket that the URL names is not there: a server makes it when it starts."""
    hosts, ports = (database.connect_args.get(name, []) for name in ("host", "port"))
    sockets = [Path(host, f".s.PGSQL.{port}") for host, port in zip(hosts, ports, strict=True)]
    return any(path.is_absolute() and not path.exists() for path in sockets)
