"""The ASGI application: `uvicorn app.main:app`."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import api, logs
from app.about import DESCRIPTION, TITLE, VERSION
from app.api import problems
from app.api.head import HeadLikeGet
from app.api.limits import BodyLimit
from app.database import dispose, get_engine, get_readers
from app.settings import get_settings
from dbkit.asgi import OneLineStartupErrors
from dbkit.errors import SettingsError
from dbkit.startup import ensure_migrated


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """A wrong setting stops the process here, at its start; the engine is closed at the end."""
    settings, engine = get_settings(), get_engine()
    logs.configure(settings)
    get_readers()
    await ensure_migrated(engine)
    yield
    await dispose()


def is_sane(request_id: str) -> bool:
    """Tell whether the id that a client or proxy gave its request may stand in logs."""
    return re.fullmatch(r"[\w.-]{1,64}", request_id, re.ASCII) is not None


def create_app() -> FastAPI:
    """Return a new application with all endpoints below `app/api`."""
    options: dict[str, Any] = {
        "title": TITLE,
        "version": VERSION,
        "description": DESCRIPTION,
        "lifespan": lifespan,
        "responses": problems.RESPONSES,
    }
    try:
        settings = get_settings()
        has_docs = settings.has_docs
        if logging.getLogger("uvicorn").handlers:  # it says something before the lifespan begins
            logs.configure(settings)
    except SettingsError:  # the lifespan says what is wrong
        has_docs = False
    # FastAPI's own pages load their scripts from a server of others.
    app = FastAPIOffline(**options) if has_docs else FastAPI(**options, openapi_url=None)
    # The last one is the outermost.
    app.add_middleware(HeadLikeGet)
    app.add_middleware(BodyLimit)
    app.add_middleware(logs.AccessLog)
    app.add_middleware(CorrelationIdMiddleware, validator=is_sane)
    app.add_middleware(OneLineStartupErrors)
    problems.add_handlers(app)
    for router in api.routers():
        app.include_router(router)
    return app


app = create_app()
