"""Tests of a project in a test, which all pass."""

import asyncio
import os
import subprocess
import sys

import pytest
from fastapi.testclient import TestClient
from httpx import ASGITransport, AsyncClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.people import default_name, running
from app.database import get_engine, get_session_factory
from app.main import app
from app.models.user import User
from dbkit.connection import app_database, migration_database
from dbkit.testing.transaction import OneConnection

tutorial = TestClient(app)

A = {"email": "a@example.com"}


async def people(client: AsyncClient) -> list[str]:
    response = await client.get("/people")
    assert response.status_code == 200
    found: list[str] = response.json()
    return found


@pytest.mark.parametrize("time", [1, 2])
async def test_what_is_committed_is_there_and_gone_afterwards(client: AsyncClient, time: int) -> None:
    assert await people(client) == []
    assert (await client.post("/people", params=A)).status_code == 201
    assert await people(client) == ["a@example.com"]


async def test_a_forgotten_commit_is_seen(client: AsyncClient, session: AsyncSession) -> None:
    assert (await client.post("/forgotten", params=A)).status_code == 200
    assert await people(client) == []
    assert (await session.scalars(select(User))).all() == []


async def test_an_error_rolls_back(client: AsyncClient) -> None:
    assert (await client.post("/failing", params=A)).status_code == 418
    assert await people(client) == []


async def test_a_conflict_is_followed_by_an_answer(client: AsyncClient, session: AsyncSession) -> None:
    session.add(User(email="a@example.com", name="A"))
    await session.commit()
    assert (await client.post("/people", params=A)).status_code == 409
    assert await people(client) == ["a@example.com"]
    assert (await client.post("/people", params={"email": "b@example.com"})).status_code == 201
    assert await session.scalar(select(func.count()).select_from(User)) == 2


@pytest.mark.parametrize("path", ["/background", "/task", "/core"])
async def test_rows_of_others_than_the_request_are_in_the_tests_database(
    client: AsyncClient, session: AsyncSession, path: str
) -> None:
    assert (await session.scalars(select(User))).all() == []  # leaves its own transaction open
    assert (await client.post(path, params=A)).status_code == 200
    await asyncio.gather(*running)
    assert await people(client) == ["a@example.com"]
    assert [user.email for user in await session.scalars(select(User))] == ["a@example.com"]
    await session.rollback()
    assert await people(client) == ["a@example.com"]


async def test_a_client_of_ones_own() -> None:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://own") as client:
        assert (await client.post("/people", params=A)).status_code == 201
        assert await people(client) == ["a@example.com"]


@pytest.mark.parametrize("time", [1, 2])
def test_the_tutorials_client(time: int) -> None:
    assert tutorial.get("/people").json() == []
    assert tutorial.post("/people", params=A).status_code == 201
    assert tutorial.post("/people", params=A).status_code == 409
    assert tutorial.get("/people").json() == ["a@example.com"]


@pytest.mark.parametrize("time", [1, 2])
def test_the_tutorials_client_with_a_lifespan(time: int) -> None:
    with TestClient(app) as client:
        assert client.post("/background", params=A).status_code == 200
        assert client.get("/people").json() == ["a@example.com"]
    with TestClient(app) as client:
        assert client.get("/people").json() == ["a@example.com"]
        assert client.get("/health/detailed").status_code == 200


@pytest.fixture
async def ada(session: AsyncSession) -> User:
    user = User(email="ada@example.com", name="Ada")
    session.add(user)
    await session.commit()
    await session.refresh(user)
    return user


def test_the_tutorials_client_sees_what_a_fixture_has_committed(ada: User) -> None:
    assert tutorial.get("/people").json() == ["ada@example.com"]


async def test_both_clients_and_the_session_see_the_same(
    ada: User, client: AsyncClient, session: AsyncSession
) -> None:
    assert tutorial.post("/people", params=A).status_code == 201
    assert await people(client) == ["a@example.com", "ada@example.com"]
    assert len((await session.scalars(select(User))).all()) == 2


async def test_a_thread_with_a_loop_of_its_own(client: AsyncClient) -> None:
    async def write() -> None:
        async with get_session_factory()() as session:
            session.add(User(email="a@example.com", name="Thread"))
            await session.commit()

    await asyncio.to_thread(asyncio.run, write())
    assert await people(client) == ["a@example.com"]


async def test_requests_that_run_at_once_are_served(client: AsyncClient, session: AsyncSession) -> None:
    await session.scalars(select(User))
    paths = ["/slow", "/people", "/core", "/background"]
    answers = await asyncio.gather(
        *(client.post(paths[n % 4], params={"email": f"{n:02}@example.com"}) for n in range(20)),
        *(client.get("/people") for _ in range(20)),
    )
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len(await people(client)) == 20


async def test_a_session_that_is_closed_while_the_tests_own_goes_on(
    client: AsyncClient, session: AsyncSession
) -> None:
    session.add(User(email="own@example.com", name="Own"))
    await session.commit()
    session.add(User(email="own@example.com", name="Own"))
    with pytest.raises(IntegrityError):
        await session.flush()
    await session.rollback()
    async with get_session_factory()() as other:
        assert len((await other.scalars(select(User))).all()) == 1
    assert len((await session.scalars(select(User))).all()) == 1


async def test_a_savepoint_of_the_applications_own(session: AsyncSession) -> None:
    session.add(User(email="a@example.com", name="A"))
    with pytest.raises(IntegrityError):
        async with session.begin_nested():
            session.add(User(email="a@example.com", name="B"))
    await session.commit()
    assert len((await session.scalars(select(User))).all()) == 1


async def test_what_is_deferred_is_checked_at_the_commit(session: AsyncSession) -> None:
    if session.get_bind().dialect.name == "sqlite":
        return
    await session.execute(text("CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    await session.commit()
    await session.execute(text("INSERT INTO t VALUES (1), (1)"))
    with pytest.raises(IntegrityError):
        await session.commit()
    await session.rollback()
    await session.execute(text("INSERT INTO t VALUES (1), (1)"))
    await session.execute(text("DELETE FROM t"))
    await session.commit()


@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.own_connections
async def test_two_transactions_at_once(client: AsyncClient, time: int) -> None:
    async with get_session_factory()() as one, get_session_factory()() as other:
        one.add(User(email="a@example.com", name="A"))
        if one.get_bind().dialect.name == "postgresql":
            await one.flush()
            assert (await other.scalars(select(User))).all() == []
        await one.commit()
        assert len((await other.scalars(select(User))).all()) == 1
    assert await people(client) == ["a@example.com"]
    assert tutorial.get("/people").json() == ["a@example.com"]


def test_overrides_are_the_owners() -> None:
    assert app.dependency_overrides == {}
    app.dependency_overrides[default_name] = lambda: "Given"
    tutorial.post("/people", params=A)
    app.dependency_overrides.clear()


def test_every_setting_leads_to_the_throwaway() -> None:
    named = [app_database(), migration_database()]
    program = "from dbkit.connection import app_database; print(app_database().name)"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = {*(each.name for each in named), printed.stdout.strip(), get_engine().url.database}
    (name,) = names
    assert "throwaway" in str(name)
    assert str(name) in os.environ["DATABASE_URL"]


async def test_rows_are_streamed(ada: User, session: AsyncSession, client: AsyncClient) -> None:
    async for user in await session.stream_scalars(select(User).execution_options(yield_per=1)):
        assert user is ada
        assert await people(client) == ["ada@example.com"]


async def test_nothing_remains(client: AsyncClient) -> None:
    assert await people(client) == []


async def test_a_session_that_reads_in_a_savepoint_of_its_own_does_not_step_aside() -> None:
    """Another session that only reads takes its turn when the savepoint has ended."""
    factory = get_session_factory()
    async with factory() as one:
        async with one.begin_nested():
            await one.scalar(select(User.id))
        async with factory() as other:
            await other.scalar(select(User.id))
        await one.scalar(select(User.id))
    async with factory() as one, factory() as other, one.begin_nested():
        await one.scalar(select(User.id))
        with pytest.raises(OneConnection, match="commit first"):
            await other.scalar(select(User.id))
