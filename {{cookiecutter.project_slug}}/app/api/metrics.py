"""`/metrics`, in the text format of Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dbkit.metrics import refresh_migrations

router = APIRouter(tags=["health"])


@router.get("/metrics", include_in_schema=False)
async def metrics() -> Response:
    """Requests, pool, statements and migrations; also while the database is gone."""
    await refresh_migrations()
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
