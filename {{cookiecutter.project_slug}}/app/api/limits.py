"""Refuses bodies above `MAX_BODY`, whether the client says their length or not."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import get_settings


class BodyLimit:
    """Answers 413 where a longer body is read: before it comes, or when it turns out longer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = get_settings().max_body
        detail = f"a body has {limit} bytes at most (MAX_BODY)"
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        declared, received = int(length) if length.isdigit() else 0, 0

        async def count() -> Message:
            nonlocal received
            if declared <= limit:
                message = await receive()
                received += len(message.get("body", b""))
                if received <= limit:
                    return message
            # Here, and not before the router, it has the route that is logged.
            raise HTTPException(413, detail, {"Connection": "close"})

        await self.app(scope, count, send)
