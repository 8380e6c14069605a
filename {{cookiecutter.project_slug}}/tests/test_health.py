"""Health says what is true."""

import pytest
from httpx import AsyncClient

from app.database import get_engine
from app.main import app
from dbkit.connection import DatabaseURL, create_engine
from dbkit.revisions import scripts


async def test_health_touches_nothing(client: AsyncClient) -> None:
    response = await client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_database_that_answers_is_healthy(
    client: AsyncClient, database: DatabaseURL
) -> None:
    response = await client.get("/health/database")
    body = response.json()
    assert response.status_code == 200
    assert body["status"] == "ok"
    assert body["dialect"] == database.dialect
    assert body["latency_ms"] >= 0


async def test_a_migrated_database_is_healthy_in_detail(client: AsyncClient) -> None:
    response = await client.get("/health/detailed")
    head = scripts().get_heads()
    assert response.status_code == 200
    assert response.json()["migrations"] == {
        "current": head,
        "head": head,
        "pending": 0,
        "up_to_date": True,
    }


async def test_a_database_without_migrations_is_not_healthy(
    client: AsyncClient, empty_database: DatabaseURL
) -> None:
    if not scripts().get_heads():
        pytest.skip("there is no revision yet")
    engine = create_engine(empty_database)
    app.dependency_overrides[get_engine] = lambda: engine
    response = await client.get("/health/detailed")
    app.dependency_overrides.clear()
    await engine.dispose()
    assert response.status_code == 503
    assert response.json()["migrations"]["pending"] == len(list(scripts().walk_revisions()))
    assert "pending" in response.json()["reason"]
