"""Logs: text while developing, JSON elsewhere; each line of a request has its id.

Every logger of Python's goes the same way, so `logging.getLogger(__name__).info("…")` shows.
https://www.structlog.org/en/stable/standard-library.html
"""

import logging
import sys
import time
from contextlib import suppress
from typing import Any

import structlog
from asgi_correlation_id import correlation_id
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, Processor, WrappedLogger

from app.metrics import observe
from app.settings import Settings

# It says nothing until `configure` knows the format.
access: Any = structlog.wrap_logger(
    None, wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
)


def configure(settings: Settings) -> None:
    """Send all logs to stdout, in the format of `LOG_FORMAT`, from `LOG_LEVEL` on."""
    global access
    always: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
    ]
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        *always,
    ]
    renderer: list[Processor] = [
        structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]
    if settings.writes_json:
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # which have their own way
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = name != "uvicorn.access"  # see `AccessLog`
    # It warns of each id that is not taken, and a client could fill the log with them.
    logging.getLogger("asgi_correlation_id").setLevel(logging.ERROR)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # A line for each request: not by way of Python's loggers, which takes three times as long.
    access = structlog.wrap_logger(
        _Lines(sys.stdout),
        processors=[*always, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
    ).bind(logger="app.access")


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn's, the same once more
    if request_id := correlation_id.get():
        event["request_id"] = request_id
    return event


class _Lines(structlog.WriteLogger):
    """Like Python's handlers, it lets no request fail where its line cannot be written."""

    def info(self, message: str) -> None:
        with suppress(OSError, ValueError):  # a full disk, a closed pipe
            super().msg(message)


class AccessLog:
    """Logs and measures each request when it is answered: its route, neither path nor query.

    These may hold what nobody wants in a log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()  # of an error that nobody has answered yet

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        finally:
            seconds = time.perf_counter() - begun
            route = getattr(scope.get("route"), "path", None)  # None: no endpoint is there
            observe(scope["method"], route, status, seconds)
            fields = {"method": scope["method"], "route": route, "status": status}
            access.info("request", **fields, ms=round(seconds * 1000, 1))
