"""The alert rules and the dashboard, in a real Prometheus that scrapes a real service."""

import json
import math
import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from support.database_state import add_revision
from support.monitoring import Prometheus, program, promtool, running_prometheus, serving
from support.processes import Session, read_until, start, succeeded
from support.projects import Project, ok, refusal
from support.servers import running_server

RULES = Path("deploy", "prometheus")
DASHBOARD = Path("deploy", "grafana", "dashboard.json")
# What Grafana puts in the place of its variables, for a service that lives for some seconds.
VARIABLES = {"$job": "service", "$__rate_interval": "3s", "$__range": "10m", "$__interval": "1s"}
WITHOUT_DATA = {"database_replica_lag_seconds"}  # there is no replica


def rules_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The rules of a copy of `deploy/prometheus`, by name."""
    content = yaml.safe_load((folder / "alerts.yml").read_text("utf-8"))
    return {rule["alert"]: rule for group in content["groups"] for rule in group["rules"]}


@pytest.fixture
def rules(default_project: Path, tmp_path: Path) -> Path:
    """A copy of `deploy/prometheus`."""
    return shutil.copytree(default_project / RULES, tmp_path / "rules")


def test_the_rules_and_the_example_of_a_configuration_are_valid_and_tested(rules: Path) -> None:
    assert f"{len(rules_of(rules))} rules found" in promtool("check", "rules", "alerts.yml", folder=rules)
    assert "is valid" in promtool("check", "config", "prometheus.yml", folder=rules)
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml", folder=rules)


@pytest.mark.long
def test_the_unit_tests_of_the_rules_notice_when_a_rule_is_changed(rules: Path) -> None:
    """One that never fires, one that fires at once, and one with another number."""
    file = rules / "alerts.yml"
    text = file.read_text("utf-8")
    blocks = re.split(r"(?=^      - alert: )", text, flags=re.MULTILINE)
    changes = (
        (r"(?s)expr: .*?(?=\n        (for|labels):)", "expr: vector(0) > 1"),
        (r"\n        for: .*", ""),
        (r"> 0\b(?!\.)", "> 1e12"),
        (r"> 0\.05", "> 0.02"),
        (r"> (30|300)\b", "> 20"),
        (r"- 3600", "- 7200"),
    )
    unnoticed, tried = [], 0
    for number, block in enumerate(blocks):
        for pattern, replacement in changes if block.startswith("      - alert: ") else ():
            changed = re.sub(pattern, replacement, block, count=1)
            if changed == block:
                continue
            tried += 1
            file.write_text("".join([*blocks[:number], changed, *blocks[number + 1 :]]), "utf-8")
            try:
                promtool("test", "rules", "alerts_test.yml", folder=rules)
            except AssertionError:
                continue
            unnoticed.append((block.split("\n")[0], pattern))
    assert tried > 2 * (len(blocks) - 1)
    assert unnoticed == []


@contextmanager
def scraping(rules: Path, client: httpx.Client) -> Iterator[Prometheus]:
    """A Prometheus that scrapes a service as the example says, but twice a second."""
    file = rules / "prometheus.yml"
    text = file.read_text("utf-8")
    assert "127.0.0.1:8000" in text
    address = f"{client.base_url.host}:{client.base_url.port}"
    file.write_text(text.replace("15s", "500ms").replace("127.0.0.1:8000", address), "utf-8")
    with running_prometheus(file) as prometheus:
        yield prometheus


@pytest.mark.long
def test_a_real_prometheus_scrapes_a_real_service_and_fires(
    compiled_project: Path, tmp_path: Path, rules: Path
) -> None:
    """Each rule but that of the replica; what is minutes in a rule is no time here."""
    program("prometheus")
    file = rules / "alerts.yml"
    text = re.sub(r"for: \w+", "for: 0s", file.read_text("utf-8"))
    file.write_text(text.replace("> 300", "> 1").replace("> 30\n", "> 0.3\n"), "utf-8")
    fired: set[str] = set()
    with running_server() as server:
        project = Project.adopt(compiled_project, tmp_path / "project", server.create_database())
        with serving(project, tmp_path / "log") as client, scraping(rules, client) as prometheus:

            def fires(name: str) -> None:
                prometheus.wait_for(lambda: name in prometheus.firing())
                fired.add(name)

            def is_over(name: str) -> None:
                prometheus.wait_for(lambda: name not in prometheus.firing())

            fires("MigrationPending")
            ok(project.make("migrate"))
            is_over("MigrationPending")

            name = add_revision(project, 'op.execute("SELECT 1/0")')
            assert "division by zero" in refusal(project.make("migrate"))
            fires("MigrationFailed")
            project.edit(f"alembic/versions/20260102_0000_{name}.py", "SELECT 1/0", "LOCK TABLE users")
            with Session(project) as holder:
                holder.run("BEGIN", "LOCK TABLE users")
                # What it waits before it tries again is what the history counts.
                process = start(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="0.5")
                read_until(process, "try 2 follows")
                fires("LongTransaction")
                holder.run("COMMIT")
                succeeded(process)
            is_over("MigrationFailed")
            fires("MigrationLockWait")
            is_over("LongTransaction")
            # What was locked was in the way of a picture of the schema, too: the next run keeps one.
            add_revision(project, 'op.execute("SELECT 1")')
            ok(project.make("migrate"))
            is_over("MigrationLockWait")

            with ThreadPoolExecutor(4) as threads:
                statuses = list(threads.map(lambda _: client.get("/hold").status_code, range(4)))
            assert 503 in statuses
            fires("PoolExhausted")
            prometheus.wait_for(lambda: client.get("/wrong") and "ErrorRate" in prometheus.firing())
            fires("ErrorRate")

            assert "Drift" not in prometheus.firing()
            project.sql("CREATE TABLE scratch (id INTEGER)")
            fires("Drift")
            begun = datetime.fromisoformat(project.log()[-1]["started_at"])
            said = prometheus.annotations("Drift")["summary"]
            assert f"service was changed by hand since the run of {begun:%Y-%m-%d %H:%M:%S}" in said

            assert "DatabaseGone" not in prometheus.firing()
            server.stop()
            fires("DatabaseGone")
            server.start()
            is_over("DatabaseGone")
            assert "ServiceGone" not in prometheus.firing()
        with running_prometheus(rules / "prometheus.yml") as prometheus:  # the service has ended
            prometheus.wait_for(lambda: "ServiceGone" in prometheus.firing())
            fired.add("ServiceGone")
    assert rules_of(rules).keys() - fired == {"ReplicaLag"}


def queries(dashboard: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """The titles of the panels, their queries, and whether these ask for one moment."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"], target.get("instant", False)


def filled(expression: str) -> str:
    """A query as Grafana sends it."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


def values(series: list[dict[str, Any]]) -> list[float]:
    """All numbers of some series."""
    found = (pair for each in series for pair in each.get("values", [each.get("value")]))
    return [number for _, text in found if not math.isnan(number := float(text))]


@pytest.mark.long
def test_every_query_of_the_dashboard_has_data(
    postgresql_project: Project, tmp_path: Path, rules: Path
) -> None:
    project = postgresql_project
    program("prometheus")
    dashboard = json.loads((project.path / DASHBOARD).read_text("utf-8"))
    [annotation] = dashboard["annotations"]["list"]
    ok(project.make("migrate"))
    add_revision(project, 'op.execute("SELECT 1")')
    begun = time.time()
    with serving(project, tmp_path / "log") as client, scraping(rules, client) as prometheus:
        runs = [project.log()[-1]["started_at"]]
        prometheus.wait_for(lambda: prometheus.query("http_request_duration_seconds_count"))

        def ask(*paths: str) -> None:
            """Ask for some time, which is what a rate needs."""
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                for path in paths:
                    client.get(path)
                time.sleep(0.02)

        ask("/users", "/wrong")
        ok(project.make("migrate"))
        ask("/slow")
        runs.append(project.log()[-1]["started_at"])
        drift = "migrations_drift_since_timestamp_seconds >= 0"
        prometheus.wait_for(lambda: prometheus.query(drift))

        empty = []
        for title, expression, is_instant in queries(dashboard):
            found = prometheus.query(filled(expression), None if is_instant else begun)
            if not values(found):
                empty.append((title, expression))
        assert {re.findall(r"[a-z_]+_seconds", expression)[0] for _, expression in empty} == WITHOUT_DATA

        # A migration is a line, at the time when it began.
        series = prometheus.query(filled(annotation["expr"]), begun)
        expected = {int(datetime.fromisoformat(run).timestamp() * 1000) for run in runs}
        assert annotation["useValueForTime"]
        assert {int(value) for value in values(series)} == expected

        # Before the last migration statements were quick, and after it they are slow.
        before, after = (
            values(prometheus.query(filled(expression)))[0]
            for title, expression, _ in queries(dashboard)
            if title.startswith("Time of a statement around")
        )
        assert before < 0.25 < after


def test_the_panels_of_the_dashboard_have_their_places(default_project: Path) -> None:
    dashboard = json.loads((default_project / DASHBOARD).read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
