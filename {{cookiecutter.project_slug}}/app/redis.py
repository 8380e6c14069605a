"""Redis: what the instances of the service share and may lose, such as caches and rate limits."""

import asyncio
import os
import ssl
import time
from functools import cache
from typing import Annotated

from prometheus_client import Counter, Gauge
from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError
from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.about import NAME
from app.settings import Settings
from dbkit.settings import load_settings

WITHIN = 1.0  # seconds for a connection, and for an answer: to wait longer for a cache is no use
CONNECTIONS = 50  # one serves a few thousand commands a second
# Not a wrong command, which would fail the next time, too.
UNAVAILABLE = (exceptions.ConnectionError, exceptions.TimeoutError)

UP = Gauge("redis_up", "Whether Redis answered when it was last asked.")
FAILURES = Counter("redis_failures", "Requests that failed because Redis did not answer.")

prefix = f"{NAME}:"  # of each key: others may use the same server, and tests have another prefix


def _check_url(url: SecretStr) -> SecretStr:
    try:
        parse_url(url.get_secret_value())
    except ValueError:
        raise PydanticCustomError(
            "redis_url", "no URL such as redis://:password@host:6379/0 (rediss:// with TLS)"
        ) from None
    return url


class RedisSettings(Settings):
    """The settings of the service, and `REDIS_URL`."""

    redis_url: Annotated[SecretStr, AfterValidator(_check_url)]


@cache
def get_redis() -> Redis:
    """Return the client, which has not connected yet. Raises `SettingsError`.

    Outside of an endpoint, catch `UNAVAILABLE`, and go on without Redis where that is possible.
    """
    url = load_settings(RedisSettings).redis_url.get_secret_value()
    pool = BlockingConnectionPool.from_url(  # more requests at once wait for a free connection
        url,
        max_connections=CONNECTIONS,
        timeout=WITHIN,
        decode_responses=True,
        socket_connect_timeout=WITHIN,
        socket_timeout=WITHIN,
        # Once, and at once: a connection of the pool may be one to a server that was restarted.
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)


def key(*parts: object) -> str:
    """Return the key `service:part:part`; every key of the service is made by this function."""
    return prefix + ":".join(map(str, parts))


def unavailable_reason(error: BaseException) -> str:
    """Say in a few words why Redis is of no use, without the password."""
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return "no answer in time"
    if isinstance(error, exceptions.AuthenticationError):
        return "it refuses the user or the password"
    if isinstance(error, exceptions.BusyLoadingError):
        return "it is still loading its data"
    cause = error.__cause__ or error.__context__
    if isinstance(cause, TimeoutError):
        return "no connection was free in time"
    if isinstance(cause, ssl.SSLError):
        return "TLS failed"
    if not isinstance(cause, OSError) or not cause.strerror:
        return "the connection broke"
    # asyncio's own text names the address; a name that is not found has no code of the system.
    code = cause.errno or 0
    return (os.strerror(code) if code > 0 else cause.strerror).lower()


async def ping() -> float:
    """Ask Redis, and return the milliseconds until it answered.

    Raises:
        redis.exceptions.ConnectionError: it does not answer in time; the text says why.
    """
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(WITHIN):
            await get_redis().ping()
    except (*UNAVAILABLE, TimeoutError) as error:
        UP.set(0)
        raise exceptions.ConnectionError(unavailable_reason(error)) from None
    UP.set(1)
    return round((time.perf_counter() - begun) * 1000, 2)
