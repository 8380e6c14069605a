"""What the README says of SQLModel's models works, as it stands there."""

import pytest

from support.documents import DOCUMENTS, blocks
from support.projects import Project, body, ok

pytestmark = [pytest.mark.slow, pytest.mark.long]

TESTS = '''\
"""Teams."""

from datetime import UTC, datetime, timedelta

from httpx import AsyncClient


async def test_teams(client: AsyncClient) -> None:
    ada = (await client.post("/users", json={"email": "ada@example.com", "name": "Ada"})).json()
    for name in ("one", "two"):
        made = await client.post("/teams", json={"name": name, "owner_id": ada["id"]})
        assert made.status_code == 201
    team = made.json()
    assert team["id"][14] == "7"
    assert datetime.now(UTC) - datetime.fromisoformat(team["created_at"]) < timedelta(minutes=1)
    listed = await client.get("/teams", params={"owner_email": "ada@example.com"})
    assert [each["name"] for each in listed.json()] == ["one", "two"]
    assert listed.json()[1] == team
    for body, status in (
        ({"name": "two", "owner_id": ada["id"]}, 409),
        ({"name": "three", "owner_id": team["id"]}, 409),
        ({"name": "", "owner_id": ada["id"]}, 422),
        ({"name": "a\\x00", "owner_id": ada["id"]}, 422),
        ({"name": "a" * 201, "owner_id": ada["id"]}, 422),
        ({"name": "four", "owner_id": "4"}, 422),
    ):
        assert (await client.post("/teams", json=body)).status_code == status, body
    assert (await client.delete(f"/users/{ada['id']}")).status_code == 409
'''


def test_models_of_sqlmodel_stand_beside_ours(project: Project) -> None:
    texts = blocks(DOCUMENTS["the project's README.md"], "python")
    [model] = [text for text in texts if "class Team(" in text]
    [endpoints] = [text for text in texts if "async def create_team" in text]
    project.write("app/models/team.py", model)
    project.write("app/api/teams.py", endpoints)
    project.write("tests/test_teams.py", TESTS)
    ok(project.make("migration", "MSG=add teams"))
    [revision] = project.revisions("add_teams")
    assert "sqlmodel" not in revision.read_text("utf-8")
    for name in ("pk_teams", "fk_teams_owner_id_users", "uq_teams_name", "ix_teams_owner_id"):
        assert name in body(revision)
    ok(project.make("migrate"))
    ok(project.make("migration-check"))
    ok(project.make("migrate-test"))
    ok(project.make("lint"))
    if project.dialect == "sqlite":  # it takes seconds, and knows no database
        ok(project.make("typecheck"))
    ok(project.python("-m", "pytest", "-q", "tests/test_teams.py"))
