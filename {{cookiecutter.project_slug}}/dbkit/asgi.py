"""ASGI middleware: what keeps an application from starting is one line, not a traceback.

https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from alembic.util import CommandError

from dbkit.errors import DatabaseUnavailable, SettingsError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class OneLineStartupErrors:
    """Replaces the traceback of a foreseeable failure in the lifespan by what it says.

    Those are a wrong setting, a database out of reach, and a migration that failed. The server
    logs the line and ends, as it does for any other failure.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        failures: list[Message] = []

        async def hold_back(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                failures.append(message)  # Starlette has put the traceback into it
            else:
                await send(message)

        try:
            await self.app(scope, receive, hold_back)
        except Exception as error:
            if not failures:
                raise
            if isinstance(error, CommandError | DatabaseUnavailable | SettingsError):
                failures[-1]["message"] = str(error)
        for message in failures:
            await send(message)
