"""Redis in tests: the server of `REDIS_URL`, with keys of each test's own, deleted afterwards."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from redis import Redis
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection

import app.redis
from dbkit.errors import SettingsError
from dbkit.settings import load_settings

RELEASE = ConnectionPool.release


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The server of all tests."""
    try:
        return load_settings(app.redis.RedisSettings).redis_url.get_secret_value()
    except SettingsError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(autouse=True)
def redis_prefix(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Iterator[str]:
    """What all keys begin with that a test makes by `app.redis.key`, in requests, too."""
    prefix = f"test:{uuid4().hex}:"
    is_used = False

    async def close_and_release(pool: ConnectionPool, connection: AbstractConnection) -> None:
        nonlocal is_used
        is_used = True
        await connection.disconnect()  # the next command may come from another event loop
        await RELEASE(pool, connection)

    with monkeypatch.context() as patch:
        patch.setattr(app.redis, "prefix", prefix)
        patch.setattr(ConnectionPool, "release", close_and_release)
        app.redis.get_redis.cache_clear()
        yield prefix
        app.redis.get_redis.cache_clear()
    if is_used:
        with Redis.from_url(redis_url) as client:
            for key in client.scan_iter(f"{prefix}*", count=1000):
                client.delete(key)
