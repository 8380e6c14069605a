"""The example resource as uvicorn serves it, beside endpoints of a test."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from support.projects import Project
from support.services import start

# Beside the example: an endpoint that keeps a connection, and one with a mistake in it.
ROUTES = """
import asyncio
import logging
from fastapi import APIRouter
from sqlalchemy import text
from app.api.dependencies import SessionDep

router = APIRouter()

@router.get("/hold")
async def hold(session: SessionDep) -> None:
    await session.execute(text("SELECT 1"))
    await asyncio.sleep(3)

@router.get("/endless")
async def endless(session: SessionDep) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    await session.execute(text(f"{numbers} SELECT max(i) FROM n"))

@router.get("/said")
async def said() -> None:
    logging.getLogger(__name__).info("from an endpoint", extra={"number": 1})

@router.get("/wrong")
async def wrong() -> None:
    password = "l0cal"
    raise RuntimeError(f"a s3cr3t of {len(password)} letters")
"""
LIMITS = {"DATABASE_STATEMENT_TIMEOUT": "1", "DATABASE_POOL_TIMEOUT": "1"}
SMALL_POOL = {"DATABASE_POOL_SIZE": "2", "DATABASE_MAX_OVERFLOW": "1"}
ADA = {"email": "ada@example.com", "name": "Ada"}
PROBLEM = "application/problem+json"


Serve = Callable[..., httpx.Client]


@contextmanager
def serving(example: Project, folder: Path) -> Iterator[Serve]:
    """Serve the example on a database, and return a client; the log shows no value of a row."""
    with ExitStack() as stack:

        def serve(url: str, **others: str) -> httpx.Client:
            variables = {"DATABASE_URL": url, "MIGRATE_ON_START": "true", **LIMITS, **SMALL_POOL, **others}
            log = folder / f"log{len(list(folder.glob('log*')))}"
            process, address = start(example, log, "app.main:app", **variables)
            stack.callback(process.wait, 30)
            stack.callback(process.send_signal, signal.SIGINT)
            limits = httpx.Limits(max_connections=100)
            client = httpx.Client(base_url=address, timeout=30, trust_env=False, limits=limits)
            return stack.enter_context(client)

        yield serve
        for log in folder.glob("log*"):
            assert ADA["email"] not in log.read_text()


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    found, wanted = (response.status_code, response.headers["content-type"]), (status, PROBLEM)
    assert found == wanted, f"{found} == {wanted}: {response.text}"
    body: dict[str, Any] = response.json()
    assert body.keys() <= {"type", "title", "status", "detail", "errors", "request_id"}
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert "s3cr3t" not in response.text
    return body


def at_once(number: int, ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(ask, range(number)))
