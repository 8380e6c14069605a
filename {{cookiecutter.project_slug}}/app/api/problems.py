"""Errors in one shape: `application/problem+json`, RFC 9457.

https://www.rfc-editor.org/rfc/rfc9457
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from dbkit.connection import unavailable_reason
from dbkit.errors import (
    DatabaseUnavailable,
    error_text,
    is_conflict,
    is_wrong_value,
    lacks_object,
)

log = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MEDIA_TYPE = "application/problem+json"
SHOWN = {"schema": {"$ref": "#/components/schemas/Problem"}}  # in the OpenAPI document
RETRY_AFTER = "1"  # seconds; a pool replaces a broken connection at the next request


class Mistake(BaseModel):
    """One thing that is wrong with a request: where it stands, and which rule it breaks."""

    location: list[str | int]
    message: str


class Problem(BaseModel):
    """Why a request was not carried out."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[Mistake] | None = None
    request_id: str | None = None


def document(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of answers with these statuses."""
    return {
        status: {"description": HTTPStatus(status).phrase, "model": Problem} for status in statuses
    }


RESPONSES = document(400, 413, 422, 500, 503)  # of every endpoint


def answer(
    status: int,
    detail: str | None = None,
    errors: list[Mistake] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem as a response."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors,
        request_id=correlation_id.get(),
    )
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """Answer what an endpoint, or the router, raises as `HTTPException`."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != phrase else None
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # FastAPI names those of one route
        headers = {"Allow": ", ".join(sorted(_methods(request)))}
    return answer(error.status_code, detail, headers=headers)


def _methods(request: Request) -> set[str]:
    """Return the methods that the endpoints of a path have."""
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    routes = request.app.routes
    found = {
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in routes)
    }
    return found | {"HEAD"} if "GET" in found else found  # see `HeadLikeGet`


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Answer a request that breaks the rules of the schemas, without repeating what it sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    mistakes = [Mistake(location=[*each["loc"]], message=each["msg"]) for each in error.errors()]
    detail = "the request breaks a rule"
    if isinstance(error.body, bytes):  # FastAPI did not read it
        detail = "the body is not taken for JSON: send it with 'Content-Type: application/json'"
    return answer(422, detail, mistakes)


async def _database(request: Request, error: Exception) -> JSONResponse:
    """Answer what a client can do something about; raise what is our own fault."""
    if isinstance(error, StaleDataError):
        status = 412 if "if-match" in request.headers else 409
        return answer(status, "somebody else changed it at this moment: read it again")
    if is_conflict(error):
        return answer(409, f"this conflicts with what is stored: {error_text(error)}")
    if is_wrong_value(error):
        return answer(422, "a value does not fit what the database stores")
    reason, detail = unavailable_reason(error), "the database is unavailable"
    if lacks_object(error):
        reason = f"{error_text(error)}: 'make migrate', or 'make migration' after a changed model"
        detail = "the database lacks what this code needs"
    if reason is None:
        raise error
    log.warning("%s: %s", detail, reason)
    return answer(503, detail, headers={"Retry-After": RETRY_AFTER})


async def _unforeseen(_request: Request, _error: Exception) -> JSONResponse:
    # The server closes the connection behind an error, and this answer passes no middleware.
    return answer(500, headers={"Connection": "close", "X-Request-ID": correlation_id.get() or ""})


def add_handlers(app: FastAPI) -> None:
    """Let `app` answer every error as a problem, and say so in its OpenAPI document."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(DatabaseUnavailable, _database)
    app.add_exception_handler(Exception, _unforeseen)
    make_document = app.openapi

    def openapi() -> dict[str, Any]:
        made = make_document()
        operations = (each for path in made["paths"].values() for each in path.values())
        for operation in operations:
            for response in operation["responses"].values():
                content = response.get("content", {})
                if content.get("application/json") == SHOWN:
                    content[MEDIA_TYPE] = content.pop("application/json")
        return made

    app.openapi = openapi  # type: ignore[method-assign]
