"""What a client should not send is refused as a problem, and what it may send is stored as it is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.example_service import ADA, Serve, problem, serving
from support.projects import Project, environment, ok

JSON = {"Content-Type": "application/json"}
DEEP = 300_000
# What schemathesis looks at. That a value which the document allows may still be refused is not among it: its
# patterns are JavaScript's there, whose \s is another one, and pydantic takes 0 for false.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,allow_header_conformance,use_after_free,"
    "ensure_resource_availability"
)
FIELDS = (
    "number:str:unique total:Decimal paid_at:datetime? note:text? count:int:index rate:float active:bool "
    "day:date? ref:UUID?"
)
BODIES: dict[str, tuple[bytes, set[int]]] = {
    "nothing": (b"", {422}),
    "no JSON": (b"{", {422}),
    "invalid UTF-8": (b'{"email": "a@b", "name": "\xff\xfe"}', {400, 422}),
    "half a character": (rb'{"email": "half@b", "name": "\ud800"}', {422}),
    "half a character in a name": (rb'{"\ud800": 1, "email": "half@b", "name": "A"}', {422}),
    "NUL": (rb'{"email": "nul@b", "name": "a\u0000b"}', {422}),
    "NUL in the email": (rb'{"email": "\u0000@b", "name": "A"}', {422}),
    "deep lists": (b"[" * DEEP + b"]" * DEEP, {400, 422}),
    "deep lists in a field": (b'{"name": ' + b"[" * DEEP + b"]" * DEEP + b"}", {400, 422}),
    "deep objects": (b'{"a":' * (DEEP // 5) + b"1" + b"}" * (DEEP // 5), {400, 422}),
    "a list": (b"[]", {422}),
    "null": (b"null", {422}),
    "a list for text": (b'{"email": ["a@b"], "name": "A"}', {422}),
    "an object for text": (b'{"email": {"a": 1}, "name": "A"}', {422}),
    "a number for text": (b'{"email": 1, "name": 2}', {422}),
    "text for a flag": (b'{"email": "a@b", "name": "A", "is_active": "perhaps"}', {422}),
    "no number": (b'{"email": "a@b", "name": NaN}', {422}),
    "no number for a flag": (b'{"email": "a@b", "name": "A", "is_active": Infinity}', {422}),
    "a number of 5,000 digits": (b'{"email": "a@b", "name": ' + b"9" * 5_000 + b"}", {400, 422}),
    "a field too many": (b'{"email": "a@b", "name": "A", "id": 1}', {422}),
    "the server's own fields": (b'{"email": "a@b", "name": "A", "version": 7}', {422}),
    "no name": (b'{"email": "a@b", "name": ""}', {422}),
    "a long name": (b'{"email": "a@b", "name": "' + b"a" * 201 + b'"}', {422}),
    "10 MB": (b'{"name": "' + b"a" * 10_000_000 + b'"}', {413}),
}
SQL = [
    "'; DROP TABLE users; --",
    '"; DELETE FROM users; --',
    "' OR '1'='1",
    "$1 :name %(name)s %s ? \\' \\x00",
    "Robert\u202e\u0301 \U0001f600\r\n\t",
]
QUERIES = {
    "limit=0": 422,
    "limit=-1": 422,
    "limit=1000000000": 422,
    "limit=" + "9" * 5_000: 422,
    "limit=1.5": 422,
    "limit=%00": 422,
    "limit=%ff": 422,
    "limit=1;DROP TABLE users": 422,
    "limit=1&limit=2": 200,
    "after=1": 422,
    "after=%00": 422,
    "after=' OR 1=1": 422,
    "after=00000000-0000-0000-0000-000000000000": 200,
    "after=ffffffff-ffff-ffff-ffff-ffffffffffff": 200,
    "nothing=%00": 200,
    "": 200,
}
PATHS = ("1", "%00", "%ff", "..%2f..%2fetc", "' OR 1=1", "a" * 10_000, "\N{SNOWMAN}")
TAGS = ("null", '"', '"\xff"', "W/", '"0', "9" * 5_000, ",,,", "'; DROP TABLE users")


def refused(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, (answer.request.url, answer.status_code, answer.text)
    if answer.status_code >= 400:
        problem(answer, answer.status_code)


@pytest.mark.first_on("postgresql")
def test_what_a_client_should_not_send_is_a_problem(serve: Serve, url: str, tmp_path: Path) -> None:
    client = serve(url)
    path = client.post("/users", json=ADA).headers["Location"]
    for name, (body, statuses) in BODIES.items():
        answer = client.post("/users", content=body, headers=JSON)
        assert answer.status_code in statuses, (name, answer.status_code, answer.text[:500])
        refused(answer, *statuses)
        refused(client.patch(path, content=body, headers=JSON), *statuses, 422)
    for query, status in QUERIES.items():
        refused(client.get(f"/users?{query}"), status)
    for wrong in PATHS:
        refused(client.get(f"/users/{wrong}"), 404, 422)
        refused(client.delete(f"/users/{wrong}"), 404, 422)
    for tag in TAGS:
        headers = {b"If-Match": tag.encode("latin-1")}
        refused(client.patch(path, json={"name": "A"}, headers=headers), 412)
    assert client.get(path).status_code == 200
    log = (tmp_path / "log0").read_text()
    assert "Traceback" not in log, log


@pytest.mark.first_on("postgresql")
def test_sql_in_a_field_is_stored_as_it_is(serve: Serve, url: str) -> None:
    client = serve(url)
    sent: list[dict[str, Any]] = []
    for number, text in enumerate(SQL):
        email = f"{number}{text}@{text}".translate({ord(space): None for space in " \r\n\t"})
        sent.append({"email": email, "name": text})
        answer = client.post("/users", json=sent[-1])
        assert answer.status_code == 201, answer.text
        assert answer.json().items() >= sent[-1].items()
        again = client.patch(answer.headers["Location"], json={"name": text + text})
        assert again.json()["name"] == text + text
    listed = client.get("/users").json()["items"]
    assert [each["email"] for each in listed] == [each["email"] for each in sent]


@pytest.fixture(scope="module")
def with_invoices(compiled_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a resource of all types that `make model` has, beside the example."""
    folder = tmp_path_factory.mktemp("invoices") / "project"
    project = Project.adopt(compiled_project, folder, "sqlite:///dev.db")
    ok(project.make("model", "NAME=Invoice", f"FIELDS={FIELDS}"))
    ok(project.make("migration", "MSG=add invoices"))
    return project


@pytest.mark.slow
@pytest.mark.long
def test_no_generated_request_finds_an_answer_that_the_document_does_not_have(
    with_invoices: Project, url: str, tmp_path: Path
) -> None:
    with serving(with_invoices, tmp_path) as serve:
        client = serve(url, DATABASE_STATEMENT_TIMEOUT="30", DATABASE_POOL_TIMEOUT="30")
        program = Path(sys.executable).with_name("st")
        options = (
            "--max-examples=50",
            "--seed=1",
            "--continue-on-failure",
            f"--checks={CHECKS}",
            "--no-color",
        )
        result = subprocess.run(
            [program, "run", f"{client.base_url}/openapi.json", *options],
            cwd=tmp_path,  # where it keeps what it has found
            env=environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=500,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert "Tested: 14" in result.stdout, result.stdout
        assert "Traceback" not in (tmp_path / "log0").read_text()
