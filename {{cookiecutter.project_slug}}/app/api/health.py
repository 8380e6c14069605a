"""Health: whether the process runs, whether its database answers, whether it is migrated."""

import asyncio
import time
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import QueuePool, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.about import VERSION
from app.api.dependencies import EngineDep
from app.settings import get_settings
from dbkit import status
from dbkit.connection import query_within
from dbkit.errors import DatabaseUnavailable

ANSWER_WITHIN = 1.5  # seconds; who probes often waits for two

router = APIRouter(prefix="/health", tags=["health"])


def _answer(body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, status_code=200 if body["status"] == "ok" else 503)


async def _latency(connection: AsyncConnection) -> float:
    """Milliseconds of a statement that reads and locks nothing."""
    begun = time.perf_counter()
    await connection.execute(text("SELECT 1"))
    return round((time.perf_counter() - begun) * 1000, 2)


@router.get("")
async def health() -> dict[str, str]:
    """The process answers; nothing else is touched."""
    return {"status": "ok"}


@router.get("/database")
async def database(engine: EngineDep) -> JSONResponse:
    """The database answers: 200; otherwise 503 with a reason, within two seconds."""
    try:
        latency = await query_within(ANSWER_WITHIN, engine, _latency)
    except DatabaseUnavailable as error:
        return _answer({"status": "unavailable", "reason": str(error)})
    return _answer({"status": "ok", "dialect": engine.dialect.name, "latency_ms": latency})


@router.get("/detailed")
async def detailed(engine: EngineDep) -> JSONResponse:
    """All that is known: 200 if the database answers and no revision is pending, otherwise 503."""

    async def query(connection: AsyncConnection) -> tuple[float, tuple[str, ...]]:
        return await _latency(connection), await status.current_revisions(connection)

    body: dict[str, Any] = {
        "status": "ok",
        "version": VERSION,
        "environment": get_settings().environment,
        "database": {"status": "ok", "dialect": engine.dialect.name},
    }
    try:
        body["database"]["latency_ms"], current = await query_within(ANSWER_WITHIN, engine, query)
        # Reading many revision files takes a moment, once.
        migrations = await asyncio.to_thread(status.compare_revisions, current)
        body["migrations"] = {
            "current": list(migrations.current),
            "head": list(migrations.head),
            "pending": migrations.pending,
            "up_to_date": migrations.up_to_date,
        }
        if not migrations.up_to_date:
            body |= {"status": "unavailable", "reason": f"migrations pending: {migrations.pending}"}
    except DatabaseUnavailable as error:
        failed = {"status": "unavailable", "reason": str(error)}
        body |= failed
        body["database"] |= failed
        body["migrations"] = {"current": [], "head": [], "pending": None, "up_to_date": False}
    body["pool"] = _pool(engine)
    return _answer(body)


def _pool(engine: AsyncEngine) -> dict[str, int]:
    """Connections; `overflow` counts those above the pool's size. In-memory SQLite has one."""
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        return {"size": 1, "checked_out": 0, "overflow": 0}
    return {
        "size": pool.size(),
        "checked_out": pool.checkedout(),
        "overflow": max(0, pool.overflow()),  # SQLAlchemy counts from minus the size
    }
