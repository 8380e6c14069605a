"""The ASGI application: `uvicorn app.main:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import api
from app.about import DESCRIPTION, TITLE, VERSION
from app.api import problems
from app.database import get_engine
from dbkit.asgi import OneLineStartupErrors


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """A wrong setting stops the process here, at its start; the engine is closed at the end."""
    engine = get_engine()
    yield
    await engine.dispose()


def create_app() -> FastAPI:
    """Return a new application with all endpoints below `app/api`."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=problems.RESPONSES,
    )
    app.add_middleware(OneLineStartupErrors)
    problems.add_handlers(app)
    for router in api.routers():
        app.include_router(router)
    return app


app = create_app()
