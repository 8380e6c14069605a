"""Answers HEAD wherever GET is answered: load balancers, link checkers and `curl -I` ask so."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadLikeGet:
    """Runs the endpoint of GET, and leaves the body out; FastAPI alone answers 405.

    https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            scope["method"] = "HEAD"  # the server looks at it, too
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        scope["method"] = "GET"
        try:
            await self.app(scope, receive, send_without_body)
        finally:
            scope["method"] = "HEAD"  # for the log and the metrics around it
