"""Refuses bodies above `MAX_BODY`, whether the client says their length or not."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems
from app.settings import get_settings


class BodyLimit:
    """Answers 413 before a longer body is read, or as soon as it turns out to be longer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = get_settings().max_body
        detail = f"a body has {limit} bytes at most (MAX_BODY)"
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if length.isdigit() and int(length) > limit:
            await problems.answer(413, detail, headers={"Connection": "close"})(
                scope, receive, send
            )
            return
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, detail, {"Connection": "close"})
            return message

        await self.app(scope, count, send)
