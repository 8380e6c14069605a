"""A project as uvicorn serves it, asked as a load balancer asks."""

import json
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jsonschema

from support.projects import Project, environment

LIMIT = 2.0  # seconds


def start(
    project: Project, log: Path, application: str, *options: str, **variables: str
) -> "tuple[subprocess.Popen[bytes], str]":
    """Serve an application of a project; returns the process and its address when it answers there."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [project.interpreter, "-m", "uvicorn", application, "--port=0", *options],
            cwd=project.path,
            env=environment(**variables),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + 30
    while not (found := re.search(r"running on (http://[\d.:]+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process, found[1]


class Answer(NamedTuple):
    status: int
    body: dict[str, Any]
    seconds: float


class Service:
    """A running service, asked as a load balancer asks."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        self.process, self.address = process, address
        self.client = httpx.Client(base_url=address, timeout=20, trust_env=False)

    def get(self, path: str) -> Answer:
        begun = time.monotonic()
        response = self.client.get(path)
        seconds = time.monotonic() - begun
        text = response.text
        for secret in ("s3cr3t", "postgresql://", "postgres@", "Traceback", 'File "', "asyncpg.", "sqlalche"):
            assert secret not in text, text
        answer = Answer(response.status_code, json.loads(text), seconds)
        self.check_documented(path, answer)
        return answer

    @cached_property
    def document(self) -> dict[str, Any]:
        """What the service says of itself: its OpenAPI document."""
        document: dict[str, Any] = self.client.get("/openapi.json").json()
        return document

    def check_documented(self, path: str, answer: Answer) -> None:
        """The OpenAPI document knows such an answer: its status and its body."""
        responses = self.document["paths"][path]["get"]["responses"]
        assert str(answer.status) in responses, responses.keys()
        schema = responses[str(answer.status)]["content"]["application/json"]["schema"]
        name = schema["$ref"].rpartition("/")[2]
        assert answer.body.keys() <= self.document["components"]["schemas"][name]["properties"].keys()
        jsonschema.validate(answer.body, {**self.document, **schema})

    def get_in_time(self, *paths: str) -> list[Answer]:
        """The answers to all, asked at once and given in time.

        What is slow by its nature is so each time; a machine that was busy for a moment is not.
        """
        for _ in range(3):
            with ThreadPoolExecutor(len(paths)) as threads:
                answers = list(threads.map(self.get, paths))
            if max(answer.seconds for answer in answers) < LIMIT:
                return answers
        raise AssertionError(answers)

    def ill(self) -> str:
        """Both ways of asking say that the database is of no use, in time; returns the reason."""
        (short,) = self.get_in_time("/health/database")
        assert short.body.keys() == {"status", "reason"}
        (detailed,) = self.get_in_time("/health/detailed")
        assert detailed.body.keys() == {*DETAILED, "reason"}
        assert detailed.body["database"].keys() == {"status", "dialect", "reason"}
        assert detailed.body["migrations"] == {
            "current": [],
            "head": [],
            "pending": None,
            "up_to_date": False,
        }
        for answer in (short, detailed):
            assert answer.status == 503
            assert answer.body["status"] == "unavailable"
            assert answer.body["reason"] == short.body["reason"]
        assert self.get("/health")[:2] == (200, {"status": "ok"})
        assert short.body["reason"]
        assert "make" not in short.body["reason"]  # advice is for developers
        return str(short.body["reason"])

    def well(self) -> dict[str, Any]:
        """Both ways of asking say that all is well; returns the details."""
        short, detailed = self.get("/health/database"), self.get("/health/detailed")
        assert (short.status, detailed.status) == (200, 200), (short, detailed)
        assert short.body.keys() == {"status", "dialect", "latency_ms"}
        assert short.body["status"] == "ok"
        assert 0 <= short.body["latency_ms"] < 1000 * LIMIT
        assert detailed.body.keys() == DETAILED
        assert detailed.body["pool"].keys() == {"size", "checked_out", "overflow"}
        return detailed.body

    def ill_for_many(self) -> None:
        """More who ask at once than the pool has connections are all answered in time."""
        answers = self.get_in_time(*["/health/database"] * 6)
        assert {answer.status for answer in answers} == {503}

    def recovers(self) -> None:
        """It is well again within seconds, and no question holds a connection any more."""
        deadline = time.monotonic() + 10
        while (answer := self.get("/health/detailed")).status != 200 or answer.body["pool"]["checked_out"]:
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)
        self.well()

    def stop(self, log: Path) -> None:
        """End it as Ctrl-C does; its log must be clean."""
        self.client.close()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(15)
        finally:
            self.process.kill()
            self.process.wait()
        # asyncpg's own, now and then, of a connection that broke while it was being given up.
        said = re.sub(r"Future exception.*\n.*unexpected connection_lost.*\n.*\n", "", log.read_text())
        for unwanted in ("never retrieved", "Traceback", "s3cr3t", "Error"):
            assert unwanted not in said, said


DETAILED = {"status", "version", "environment", "database", "pool", "migrations"}
