"""The example resource under load: many at once, thousands of requests, a database that comes back."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from support.example_service import ADA, Serve, at_once
from support.monitoring import samples
from support.processes import wait_until
from support.servers import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.long]

PATIENT = {
    "DATABASE_POOL_SIZE": "5",
    "DATABASE_MAX_OVERFLOW": "5",
    "DATABASE_POOL_TIMEOUT": "30",
    "DATABASE_STATEMENT_TIMEOUT": "30",
}
REQUESTS, PART = 10_000, 1_000
RECOVERY = 2.0  # seconds
# What a request may take while the database is silent, with a second for a statement and one for the pool: it
# waits for a connection, tries an idle one, and parts with it, for which SQLAlchemy waits two seconds.
LIMIT = 6.0
OUTAGE = 8.0  # longer than that: a request that waits until it is over is seen


def memory_of(pid: int) -> int:
    """Memory that a process occupies, in kB."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])


def process_of(client: httpx.Client) -> int:
    """The process that answers."""
    return int(re.findall(r'service_info\{pid="(\d+)"', client.get("/metrics").text)[0])


def mixed_requests(client: httpx.Client, number: int) -> dict[str, tuple[int, int]]:
    """Eight requests of all kinds: the status of each, and the one that it must have."""
    body = {"email": f"user{number}@example.com", "name": "N" * (number % 200 + 1)}
    made = client.post("/users", json=body)
    path = made.headers.get("Location", "/users/nobody")
    return {
        "create": (made.status_code, 201),
        "create again": (client.post("/users", json=body).status_code, 409),
        "read": (client.get(path).status_code, 200),
        "list": (client.get(f"/users?limit={number % 50 + 1}").status_code, 200),
        "wrong": (client.patch(path, json={"name": ""}).status_code, 422),
        "edit": (client.patch(path, json={"name": "B"}).status_code, 200),
        "delete": (client.delete(path).status_code, 204),
        "read what is gone": (client.get(path).status_code, 404),
    }


def test_ten_thousand_requests_all_succeed_and_memory_stays_as_it_is(serve: Serve, url: str) -> None:
    client = serve(url, **PATIENT)
    pid = process_of(client)
    unexpected: Counter[str] = Counter()
    memory: list[int] = []

    def ask(number: int) -> None:
        for kind, (status, wanted) in mixed_requests(client, number).items():
            if status != wanted:
                unexpected[f"{kind}: {status}"] += 1
        memory.append(memory_of(pid))

    for number in range(20):  # what is loaded at the first request of its kind
        mixed_requests(client, -number - 1)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(REQUESTS // 8)))
    assert not unexpected
    part = PART // 8
    first, last = sum(memory[:part]) / part, sum(memory[-part:]) / part
    assert last < 1.1 * first, f"{first:.0f} kB became {last:.0f} kB"
    assert samples(client)["database_pool_checked_out"] == 0


def test_two_hundred_at_once_on_a_pool_of_five_are_served_or_refused(serve: Serve, url: str) -> None:
    client = serve(url, DATABASE_POOL_SIZE="5", DATABASE_MAX_OVERFLOW="0", DATABASE_STATEMENT_TIMEOUT="10")
    client.post("/users", json=ADA)
    limits = httpx.Limits(max_connections=200)
    with httpx.Client(base_url=client.base_url, timeout=20, trust_env=False, limits=limits) as many:
        # Each tenth keeps its connection for three seconds, and a request waits for one as long as a second.
        answers = at_once(200, lambda number: many.get("/users" if number % 10 else "/hold"))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() == {200, 503}, statuses
    assert max(answer.elapsed.total_seconds() for answer in answers) < 10
    assert client.get("/users").status_code == 200
    assert samples(client)["database_pool_checked_out"] == 0


def test_of_fifty_who_edit_at_once_one_wins_each_version(serve: Serve, url: str) -> None:
    client = serve(url, **PATIENT)
    path = client.post("/users", json=ADA).headers["Location"]

    def edit(number: int) -> list[tuple[str, str]]:
        """Read and change it, five times: the version that was changed, and the one that was made."""
        made = []
        for turn in range(5):
            tag = client.get(path).headers["ETag"]
            answer = client.patch(path, json={"name": f"{number} {turn}"}, headers={"If-Match": tag})
            assert answer.status_code in (200, 412), answer.text
            if answer.status_code == 200:
                made.append((tag, answer.headers["ETag"]))
        return made

    with ThreadPoolExecutor(50) as threads:
        edits = [each for made in threads.map(edit, range(50)) for each in made]
    assert len(edits) >= 5
    # Each version was changed once, into the one that follows.
    expected = [(f'"{number}"', f'"{number + 1}"') for number in range(1, len(edits) + 1)]
    assert sorted(edits, key=lambda each: int(each[0].strip('"'))) == expected
    assert client.get(path).headers["ETag"] == expected[-1][1]


class Visit(NamedTuple):
    """A request: when it was sent, how long it took, and its status; 0 of one that had no answer."""

    begun: float
    seconds: float
    status: int


@contextmanager
def load(client: httpx.Client, number: int = 8) -> Iterator[list[Visit]]:
    """Requests of many users who read and write, during the with-block."""
    visits: list[Visit] = []
    leave = threading.Event()

    def visit(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - no secret
        while not leave.is_set():
            begun = time.monotonic()
            try:
                if chance.random() < 0.3:
                    email = f"{chance.getrandbits(64)}@example.com"
                    status = client.post("/users", json={"email": email, "name": "A"}).status_code
                else:
                    status = client.get("/users?limit=5").status_code
            except httpx.HTTPError:
                status = 0
            visits.append(Visit(begun, time.monotonic() - begun, status))
            leave.wait(0.02)

    threads = [threading.Thread(target=visit, args=(seed,)) for seed in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield visits
    finally:
        leave.set()
        for thread in threads:
            thread.join(40)


def connections(server: PostgresServer, name: str) -> int:
    """Sessions in a database."""
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
    return int(server.sql(query).strip())


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    """The server is gone during the with-block."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@pytest.mark.parametrize("outage", [stopped, PostgresServer.paused], ids=["stopped", "silent"])
def test_a_database_that_goes_under_load_is_503_in_time_and_comes_back(
    serve: Serve, own_server: PostgresServer, outage: Callable[[PostgresServer], AbstractContextManager[None]]
) -> None:
    url = own_server.create_database()
    client = serve(url)
    with load(client) as visits:
        time.sleep(2)
        going = time.monotonic()
        with outage(own_server):
            gone = time.monotonic()
            time.sleep(OUTAGE)
            coming = time.monotonic()
        back = time.monotonic()
        time.sleep(RECOVERY + 3)
    before = [each for each in visits if each.begun + each.seconds < going]
    during = [each for each in visits if each.begun > gone and each.begun + each.seconds < coming]
    after = [each for each in visits if each.begun > back + RECOVERY]
    assert {each.status for each in before} == {200, 201}
    assert {each.status for each in during} == {503}
    assert {each.status for each in visits} == {200, 201, 503}
    assert {each.status for each in after} == {200, 201}
    longest = max(each.seconds for each in visits)
    assert longest < LIMIT, f"a request took {longest:.1f} s"
    assert samples(client)["database_pool_checked_out"] == 0
    # What stays are those of the pool: a connection that was given up is closed, on both sides.
    wait_until(lambda: connections(own_server, url.rpartition("/")[2]) <= 2, 20)
