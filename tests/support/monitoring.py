"""A service whose metrics are read, and a Prometheus that reads them."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.processes import wait_until
from support.projects import Project
from support.servers import PATIENCE, free_port
from support.services import start

# Beside the example: endpoints that are slow, fail or keep a connection. What is read seldom is read often.
ROUTES = """
import asyncio
from fastapi import APIRouter
from sqlalchemy import text
from app.api.dependencies import SessionDep
from dbkit.metrics import drift, migrations

router = APIRouter()
drift.EVERY = migrations.EVERY = 0.3
drift.WITHIN = 1.0

@router.get("/slow")
async def slow(session: SessionDep) -> None:
    await session.execute(text("SELECT pg_sleep(0.3)"))

@router.get("/hold")
async def hold(session: SessionDep) -> None:
    await session.execute(text("SELECT 1"))
    await asyncio.sleep(2)

@router.get("/wrong")
async def wrong() -> None:
    raise RuntimeError
"""
LIMITS = {"DATABASE_POOL_SIZE": "1", "DATABASE_MAX_OVERFLOW": "1", "DATABASE_POOL_TIMEOUT": "0.5"}


def samples(client: httpx.Client) -> dict[str, float]:
    """The metrics that a service shows: values by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def answers(client: httpx.Client, path: str) -> bool:
    """Whether somebody listens, and is well."""
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def serving(project: Project, log: Path, *options: str) -> Iterator[httpx.Client]:
    """Serve a project, beside whose example are `ROUTES`, as it is: nothing migrates it."""
    project.write("app/api/watched.py", ROUTES)
    variables = LIMITS | {"DATABASE_URL": project.url}
    if project.dialect == "sqlite":
        variables["DATABASE_URL"] = f"sqlite:///{project.path / 'dev.db'}"
    process, address = start(project, log, "app.main:app", "--log-level=warning", *options, **variables)
    try:
        with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
            wait_until(lambda: answers(client, "/health"))  # workers listen a moment after they say so
            yield client
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()


def program(name: str) -> str:
    """Where `prometheus` or `promtool` is."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine (Debian's package prometheus)")
    return found


def promtool(*arguments: str | Path, folder: Path) -> str:
    """What `promtool` prints, which must find nothing wrong."""
    command = [program("promtool"), *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=PATIENCE)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


class Prometheus:
    """A running Prometheus, asked by its HTTP interface."""

    def __init__(self, port: int) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False)

    def is_ready(self) -> bool:
        """Whether it answers."""
        return answers(self.client, "/-/ready")

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        alerts = self.client.get("/api/v1/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def annotations(self, name: str) -> dict[str, str]:
        """What an alert that is there says."""
        alerts = self.client.get("/api/v1/alerts").json()["data"]["alerts"]
        found: list[dict[str, str]] = [
            each["annotations"] for each in alerts if each["labels"]["alertname"] == name
        ]
        return found[0]

    def query(self, expression: str, begin: float | None = None, step: float = 1) -> list[dict[str, Any]]:
        """The series that a query finds, now or from `begin` until now."""
        path, parameters = "/api/v1/query", {"query": expression}
        if begin is not None:
            path += "_range"
            parameters |= {"start": str(begin), "end": str(time.time()), "step": str(step)}
        answer = self.client.post(path, data=parameters).json()
        assert answer["status"] == "success", f"{answer.get('error')}: {expression}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def wait_for(self, holds: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait, and say which alerts fire if it takes too long."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"these alerts fire: {sorted(self.firing())}"
            time.sleep(0.1)


@contextmanager
def running_prometheus(config: Path) -> Iterator[Prometheus]:
    """A new Prometheus with this configuration."""
    command, port = program("prometheus"), free_port()
    with tempfile.TemporaryDirectory(prefix="prometheus-", ignore_cleanup_errors=True) as name:
        log = Path(name, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    command,
                    f"--config.file={config}",
                    f"--storage.tsdb.path={name}/data",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        server = Prometheus(port)
        try:
            deadline = time.monotonic() + PATIENCE
            while not server.is_ready():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield server
        finally:
            server.client.close()
            process.terminate()
            process.wait(PATIENCE)
