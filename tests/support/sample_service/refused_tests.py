"""Tests of a project in a test, each of which fails with a line that says what to do."""

import asyncio

from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.people import note
from app.database import get_session_factory
from app.models.user import User

A = {"email": "a@example.com"}


async def test_a_request_after_a_flush(client: AsyncClient, session: AsyncSession) -> None:
    session.add(User(email="a@example.com", name="A"))
    await session.flush()
    await client.get("/people")


async def test_two_writers_in_one_task(session: AsyncSession) -> None:
    session.add(User(email="a@example.com", name="A"))
    await session.flush()
    async with get_session_factory()() as other:
        other.add(User(email="b@example.com", name="B"))
        await other.flush()


async def test_a_task_that_goes_on_behind_the_end() -> None:
    await asyncio.gather(note("a@example.com"), note("a@example.com"))
