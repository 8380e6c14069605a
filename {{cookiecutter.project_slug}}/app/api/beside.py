"""Servers that the service uses beside its database. None of them decides whether it is ready."""

import asyncio
from collections.abc import Awaitable, Callable

from app.api.answers import Beside

# By the name that they have in `/health/detailed`. Who adds one answers in less than two seconds.
SERVERS: dict[str, Callable[[], Awaitable[Beside]]] = {}


async def read_states() -> dict[str, Beside]:
    """Ask all of them at once."""
    states = await asyncio.gather(*(read_state() for read_state in SERVERS.values()))
    return dict(zip(SERVERS, states, strict=True))
