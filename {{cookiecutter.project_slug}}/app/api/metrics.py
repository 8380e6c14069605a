"""`/metrics`, in the text format of Prometheus."""

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.api import beside
from dbkit.metrics import refresh_migrations, refresh_replica

router = APIRouter(tags=["health"])


@router.get("/metrics", include_in_schema=False)
async def metrics() -> Response:
    """Requests, pool, statements and migrations; also while the database is gone."""
    await asyncio.gather(refresh_migrations(), refresh_replica(), beside.read_states())
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
