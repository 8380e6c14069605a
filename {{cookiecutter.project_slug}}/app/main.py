"""The ASGI application: `uvicorn app.main:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.about import DESCRIPTION, TITLE, VERSION
from app.api import health
from app.database import get_engine
from dbkit.asgi import OneLineStartupErrors


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """A wrong setting stops the process here, at its start; the engine is closed at the end."""
    engine = get_engine()
    yield
    await engine.dispose()


app = FastAPI(title=TITLE, version=VERSION, description=DESCRIPTION, lifespan=lifespan)
app.add_middleware(OneLineStartupErrors)
app.include_router(health.router)
