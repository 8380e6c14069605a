"""Health: whether the process runs, whether its database answers, whether it is migrated."""

import asyncio
import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.about import VERSION
from app.api import beside
from app.api.answers import Alive, Database, Details, Migrations, Pool, Reachable, Unavailable
from app.api.dependencies import EngineDep
from app.settings import get_settings
from dbkit import status
from dbkit.connection import FairPool, share_query
from dbkit.errors import DatabaseUnavailable

ANSWER_WITHIN = 1.5  # seconds; who probes often waits for two
UNKNOWN = Migrations(current=[], head=[], pending=None, up_to_date=False)

router = APIRouter(prefix="/health", tags=["health"])


def _answer(status_code: int, body: BaseModel) -> JSONResponse:
    return JSONResponse(body.model_dump(exclude_unset=True), status_code)


async def _latency(connection: AsyncConnection) -> float:
    """Milliseconds of a statement that reads and locks nothing."""
    begun = time.perf_counter()
    await connection.execute(text("SELECT 1"))
    return round((time.perf_counter() - begun) * 1000, 2)


async def _look(
    connection: AsyncConnection,
) -> tuple[float, status.Status | status.UnreadableRevisions]:
    """The same, and where the database stands among the revisions."""
    latency = await _latency(connection)
    try:
        return latency, await status.judge_current(connection)
    except status.UnreadableRevisions as error:
        return latency, error


@router.get("")
async def health() -> Alive:
    """The process answers; nothing else is touched."""
    return Alive(status="ok")


@router.get("/database", response_model=Reachable, responses={503: {"model": Unavailable}})
async def database(engine: EngineDep) -> JSONResponse:
    """The database answers: 200; otherwise 503 with a reason, within two seconds."""
    try:
        latency = await share_query(ANSWER_WITHIN, engine, _latency)
    except DatabaseUnavailable as error:
        return _answer(503, Unavailable(status="unavailable", reason=str(error)))
    return _answer(200, Reachable(status="ok", dialect=engine.dialect.name, latency_ms=latency))


@router.get("/ready", response_model=Alive, responses={503: {"model": Unavailable}})
async def ready(engine: EngineDep, request: Request) -> JSONResponse:
    """Requests may come: 503 before the first connection, and while a revision is pending.

    A database that is gone for a moment takes no instance out that was ready: the others do not
    reach it either.
    """
    state, reason = request.app.state, None
    try:
        now = await share_query(ANSWER_WITHIN, engine, status.judge_current)
        state.was_ready, reason = now.up_to_date, now.obstacle
    except DatabaseUnavailable as error:
        if not getattr(state, "was_ready", False):
            reason = str(error)
    if reason:
        return _answer(503, Unavailable(status="unavailable", reason=reason))
    return _answer(200, Alive(status="ok"))


@router.get("/detailed", response_model=Details, responses={503: {"model": Details}})
async def detailed(engine: EngineDep) -> JSONResponse:
    """All that is known: 200 if the database answers and no revision is pending, otherwise 503."""
    details, others = await asyncio.gather(_read_details(engine), beside.read_states())
    return _answer(503 if details.reason else 200, details.model_copy(update=others))


async def _read_details(engine: AsyncEngine) -> Details:
    reason, migrations = None, UNKNOWN
    found = Database(status="ok", dialect=engine.dialect.name)

    try:
        found.latency_ms, now = await share_query(ANSWER_WITHIN, engine, _look)
        if isinstance(now, Exception):
            raise now
        migrations = Migrations(
            current=list(now.current),
            head=list(now.head),
            pending=now.pending,
            up_to_date=now.up_to_date,
        )
        reason = now.obstacle
    except status.UnreadableRevisions as error:  # of a database that answers
        reason = str(error)
    except DatabaseUnavailable as error:
        reason = str(error)
        found = Database(status="unavailable", dialect=engine.dialect.name, reason=reason)
    details = Details(
        status="unavailable" if reason else "ok",
        version=VERSION,
        environment=get_settings().environment,
        database=found,
        migrations=migrations,
        pool=_pool(engine),
    )
    if reason:
        details.reason = reason
    return details


def _pool(engine: AsyncEngine) -> Pool:
    """Connections of the pool; in-memory SQLite has one."""
    pool = engine.pool
    if not isinstance(pool, FairPool):
        return Pool(size=1, checked_out=0, overflow=0)
    return Pool(size=pool.size(), checked_out=pool.checkedout(), overflow=pool.overflow())
