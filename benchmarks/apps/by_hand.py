"""Starlette and asyncpg by hand: what the endpoints cost without FastAPI, pydantic and an ORM."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

COLUMNS = "id, email, name, is_active, created_at, updated_at"


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open a pool of as many connections as SQLAlchemy's default."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=15, max_size=15) as pool:
        app.state.pool = pool
        yield


def body(row: asyncpg.Record) -> dict[str, Any]:
    """Return what a client gets of a row."""
    return {
        "id": str(row["id"]),
        "email": row["email"],
        "name": row["name"],
        "is_active": row["is_active"],
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
    }


async def create_user(request: Request) -> Response:
    """Create a user."""
    new = json.loads(await request.body())
    statement = f"INSERT INTO users (id, email, name, version) VALUES ($1, $2, $3, 1) RETURNING {COLUMNS}"
    row = await request.app.state.pool.fetchrow(statement, uuid4(), new["email"], new["name"])
    return JSONResponse(body(row), 201)


async def list_users(request: Request) -> Response:
    """List users."""
    limit = int(request.query_params.get("limit", 50))
    statement = f"SELECT {COLUMNS} FROM users ORDER BY id LIMIT $1"
    rows = await request.app.state.pool.fetch(statement, limit + 1)
    link = f"/users?after={rows[-1]['id']}"
    return JSONResponse({"items": [body(row) for row in rows[:limit]], "next": link})


async def read_user(request: Request) -> Response:
    """Return a user."""
    statement = f"SELECT {COLUMNS} FROM users WHERE id = $1"
    row = await request.app.state.pool.fetchrow(statement, UUID(request.path_params["user_id"]))
    return JSONResponse(body(row)) if row else Response(status_code=404)


async def health(_request: Request) -> Response:
    """Answer."""
    return JSONResponse({"status": "ok"})


app = Starlette(
    routes=[
        Route("/health", health),
        Route("/users", list_users),
        Route("/users", create_user, methods=["POST"]),
        Route("/users/{user_id}", read_user),
    ],
    lifespan=lifespan,
)
