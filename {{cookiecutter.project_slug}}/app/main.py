"""The ASGI application: `uvicorn app.main:app`."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI

from app import api, logs
from app.about import DESCRIPTION, TITLE, VERSION
from app.api import problems
from app.database import get_engine
from app.settings import get_settings
from dbkit.asgi import OneLineStartupErrors
from dbkit.startup import ensure_migrated


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """A wrong setting stops the process here, at its start; the engine is closed at the end."""
    settings, engine = get_settings(), get_engine()
    logs.configure(settings)
    await ensure_migrated(engine)
    yield
    await engine.dispose()


def is_sane(request_id: str) -> bool:
    """Tell whether the id that a client or proxy gave its request may stand in logs."""
    return re.fullmatch(r"[\w.-]{1,64}", request_id, re.ASCII) is not None


def create_app() -> FastAPI:
    """Return a new application with all endpoints below `app/api`."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=problems.RESPONSES,
    )
    # The last one is the outermost.
    app.add_middleware(logs.AccessLog)
    app.add_middleware(CorrelationIdMiddleware, validator=is_sane)
    app.add_middleware(OneLineStartupErrors)
    problems.add_handlers(app)
    for router in api.routers():
        app.include_router(router)
    return app


app = create_app()
