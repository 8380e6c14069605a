"""Redis: its client for endpoints, and what happens without it."""

import logging
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import ASGITransport, AsyncClient

from app.api import problems
from app.api.redis import RedisDep
from app.main import app
from app.redis import get_redis, key
from dbkit.errors import SettingsError

NOWHERE = "redis://:s3cr3t@127.0.0.1:1/0"

visits = FastAPI()
problems.add_handlers(visits)


@visits.get("/visits")
async def count(redis: RedisDep) -> int:
    """An endpoint to copy: a counter that all instances share, for an hour."""
    number = await redis.incr(key("visits", "today"))
    await redis.expire(key("visits", "today"), 3600)
    return number


@pytest.fixture
async def visitor() -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(visits), base_url="http://test") as client:
        yield client


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch, redis_prefix: str) -> None:
    monkeypatch.setenv("REDIS_URL", NOWHERE)


async def test_an_endpoint_uses_redis(visitor: AsyncClient) -> None:
    assert [(await visitor.get("/visits")).json() for _ in range(2)] == [1, 2]
    assert 0 < await get_redis().ttl(key("visits", "today")) <= 3600


@pytest.mark.parametrize("number", [1, 2])
async def test_no_test_sees_the_keys_of_another(
    visitor: AsyncClient, redis_prefix: str, number: int
) -> None:
    assert (await visitor.get("/visits")).json() == 1
    assert [each async for each in get_redis().scan_iter(f"{redis_prefix}*")] == [
        f"{redis_prefix}visits:today"
    ]


def test_it_works_on_any_event_loop() -> None:
    assert [TestClient(visits).get("/visits").json() for _ in range(2)] == [1, 2]
    with TestClient(app) as client:
        assert client.get("/health/detailed").json()["redis"]["status"] == "ok"


async def test_health_and_metrics_know_whether_redis_answers(client: AsyncClient) -> None:
    state = (await client.get("/health/detailed")).json()["redis"]
    assert state.keys() == {"status", "latency_ms"}
    assert "redis_up 1.0" in (await client.get("/metrics")).text


@pytest.mark.usefixtures("no_redis")
async def test_without_redis_the_service_is_ready_and_says_what_is_missing(
    client: AsyncClient,
) -> None:
    assert (await client.get("/health/ready")).status_code == 200
    answer = await client.get("/health/detailed")
    assert answer.status_code == 200
    reason = "connection refused"
    assert answer.json()["redis"] == {"status": "unavailable", "reason": reason}
    assert "redis_up 0.0" in (await client.get("/metrics")).text


@pytest.mark.usefixtures("no_redis")
async def test_without_redis_a_request_that_needs_it_is_a_problem(
    visitor: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = await visitor.get("/visits")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["detail"] == "Redis is unavailable"
    assert "Redis is unavailable: connection refused" in caplog.text
    assert "s3cr3t" not in caplog.text + answer.text


@pytest.mark.parametrize("url", ["s3cr3t", "http://u:s3cr3t@host", "redis://:s3cr3t@host:port"])
def test_a_wrong_url_is_a_line_without_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SettingsError, match=r"^REDIS_URL: ") as raised:
        get_redis()
    assert "s3cr3t" not in str(raised.value)
