"""Redis for endpoints: `async def read(redis: RedisDep)`; the lifespan opens and closes it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from redis.asyncio import Redis

from app.api import beside
from app.api.answers import Beside
from app.api.problems import RETRY_AFTER
from app.redis import FAILURES, UNAVAILABLE, get_redis, ping, unavailable_reason

log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """A wrong `REDIS_URL` stops the process at its start; without Redis the service does start."""
    redis = get_redis()
    state = await read_state()
    if state.reason:
        log.warning("Redis is unavailable: %s", state.reason)
    yield
    await redis.aclose()


async def get_client() -> AsyncIterator[Redis]:
    """Yield the client; where Redis does not answer, the request is a 503 with `Retry-After`."""
    try:
        yield get_redis()
    except UNAVAILABLE as error:
        FAILURES.inc()
        log.warning("Redis is unavailable: %s", unavailable_reason(error))
        headers = {"Retry-After": RETRY_AFTER}
        raise HTTPException(503, "Redis is unavailable", headers) from None


async def read_state() -> Beside:
    """Say whether Redis answers, for `/health/detailed`, and set `redis_up` for `/metrics`."""
    try:
        return Beside(status="ok", latency_ms=await ping())
    except UNAVAILABLE as error:
        return Beside(status="unavailable", reason=str(error))


RedisDep = Annotated[Redis, Depends(get_client)]
router = APIRouter(lifespan=lifespan)  # FastAPI runs it inside the application's own
beside.SERVERS["redis"] = read_state
