"""The example to copy: a resource, as its clients see it."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient, Response

ADA = {"email": "ada@example.com", "name": "Ada"}


async def create(client: AsyncClient, **values: Any) -> Response:
    response = await client.post("/users", json=ADA | values)
    assert response.status_code == 201, response.text
    return response


def problem(response: Response, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    return body


async def test_a_user_is_created_and_read(client: AsyncClient) -> None:
    created = await create(client)
    assert UUID(created.json()["id"]).version == 7
    assert created.json()["is_active"] is True

    read = await client.get(created.headers["Location"])
    assert read.status_code == 200
    assert read.json() == created.json()
    assert read.headers["ETag"] == created.headers["ETag"]


async def test_head_is_answered_like_get_without_the_body(client: AsyncClient) -> None:
    path = (await create(client)).headers["Location"]
    read, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == read.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(read.content))


async def test_an_email_address_belongs_to_one_user(client: AsyncClient) -> None:
    await create(client)
    body = problem(await client.post("/users", json=ADA), 409)
    assert "users" in body["detail"]
    assert ADA["email"] not in body["detail"]
    assert len((await client.get("/users")).json()["items"]) == 1


async def test_fields_that_are_sent_change(client: AsyncClient) -> None:
    created = await create(client)
    path = created.headers["Location"]
    changed = await client.patch(path, json={"name": "Countess"})
    assert changed.status_code == 200
    assert changed.json()["name"] == "Countess"
    assert changed.json()["email"] == ADA["email"]
    assert changed.headers["ETag"] != created.headers["ETag"]


async def test_an_edit_of_another_version_changes_nothing(client: AsyncClient) -> None:
    created = await create(client)
    path, old = created.headers["Location"], {"If-Match": created.headers["ETag"]}
    assert (await client.patch(path, json={"name": "B"}, headers=old)).status_code == 200
    problem(await client.patch(path, json={"name": "C"}, headers=old), 412)
    problem(await client.delete(path, headers=old), 412)
    assert (await client.get(path)).json()["name"] == "B"


async def test_a_tag_that_a_proxy_has_made_weak_is_that_of_the_same_version(
    client: AsyncClient,
) -> None:
    created = await create(client)
    weak = {"If-Match": f'"0", W/{created.headers["ETag"]}'}
    changed = await client.patch(created.headers["Location"], json={"name": "B"}, headers=weak)
    assert changed.status_code == 200


async def test_a_user_is_deleted(client: AsyncClient) -> None:
    path = (await create(client)).headers["Location"]
    assert (await client.delete(path)).status_code == 204
    problem(await client.get(path), 404)
    problem(await client.delete(path), 404)


async def test_pages_follow_one_another(client: AsyncClient) -> None:
    created = [(await create(client, email=f"{n}@example.com")).json() for n in range(5)]
    found, link = [], "/users?limit=2"
    while link:
        page = (await client.get(link)).json()
        found += page["items"]
        link = page["next"]
    assert found == created


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**ADA, "email": "nobody"},
        {**ADA, "name": ""},
        {**ADA, "name": "a\0b"},
        {**ADA, "name": None},
        {**ADA, "nmae": "misspelled"},
    ],
)
async def test_a_body_that_breaks_a_rule_is_refused(
    client: AsyncClient, body: dict[str, Any]
) -> None:
    assert problem(await client.post("/users", json=body), 422)["errors"]


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=1000000000", "after=nobody"])
async def test_a_page_that_breaks_a_rule_is_refused(client: AsyncClient, query: str) -> None:
    problem(await client.get(f"/users?{query}"), 422)


async def test_what_is_not_there_is_a_problem(client: AsyncClient) -> None:
    problem(await client.get(f"/users/{uuid4()}"), 404)
    problem(await client.get("/nothing"), 404)
    response = await client.put("/users")
    problem(response, 405)
    assert response.headers["Allow"] == "GET, HEAD, POST"
