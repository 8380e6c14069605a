"""Connects to one of several servers, each within a time limit of its own, as libpq does.

asyncpg has one limit for all of them, so that a first host that says nothing hides the others.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
"""

import os
from collections.abc import Iterator
from typing import Any

from dbkit.connection.libpq_options import TARGET

Host = tuple[str, int]

PREFER_STANDBY = "prefer-standby"
_latest: dict[tuple[str, tuple[Host, ...]], Host] = {}  # which host was the one, by what was asked


async def connect_to_one(*arguments: Any, **keywords: Any) -> Any:
    """Return a connection of asyncpg to the first host that answers and is what is asked for.

    The host that was it the last time is asked first: one that is silent delays no connection but
    the first.

    Args:
        arguments: positional ones of `asyncpg.connect`.
        keywords: the others; `timeout` is that of each host.

    Raises: what asyncpg raises; of several hosts, the first that is not there is named.
    """
    import asyncpg  # not above: a project on SQLite starts sooner without

    hosts, ports = keywords.get("host"), keywords.get("port")
    if not isinstance(hosts, list) or not isinstance(ports, list):
        return await asyncpg.connect(*arguments, **keywords)
    no_match = asyncpg.TargetServerAttributeNotMatched
    failure: Exception = no_match("None of the hosts match the target attribute requirement")
    wanted = keywords.get(TARGET) or os.environ.get("PGTARGETSESSIONATTRS") or "any"
    asked = wanted, tuple(zip(hosts, ports, strict=True))
    for target, (host, port) in _in_order(*asked):
        one = {**keywords, "host": host, "port": port, TARGET: target}
        try:
            connection = await asyncpg.connect(*arguments, **one)
        except (OSError, asyncpg.CannotConnectNowError, no_match) as error:
            # That this one is no primary says less than that another one is gone.
            failure = error if isinstance(failure, no_match) else failure
            continue
        _latest[asked] = host, port
        return connection
    raise failure


def _in_order(wanted: str, hosts: tuple[Host, ...]) -> Iterator[tuple[str, Host]]:
    """Yield which host to ask next, and what it has to be."""
    latest = _latest.get((wanted, hosts))
    if wanted != "any" and latest is not None:  # otherwise the order says which is preferred
        hosts = (latest, *(host for host in hosts if host != latest))
    for target in ("standby", "any") if wanted == PREFER_STANDBY else (wanted,):
        for host in hosts:
            yield target, host
