"""A machine with Python, make and Git, and what is typed on it first."""

import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.baking import copy_checkout
from support.projects import PRODUCT, environment, ok, remove_data_elsewhere
from support.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.long]  # it installs everything, from an empty folder on
BARE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Machine:
    """A home folder, and whose it is."""

    home: Path
    account: dict[str, Any]

    def run(self, folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Type a command there, with no more on PATH than a new machine has."""
        shell = environment(HOME=str(self.home), PATH=BARE_PATH, **variables)
        return subprocess.run(
            command,
            cwd=folder,
            env={name: value for name, value in shell.items() if not name.startswith("PYENV")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            **self.account,
        )

    def own(self, folder: Path) -> None:
        """Give it all that is in a folder."""
        if self.account:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.account["user"], self.account["group"], follow_symlinks=False)


def nobody() -> dict[str, Any]:
    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@pytest.fixture(params=["as it is", "ordinary user"])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    if request.param == "ordinary user" and os.geteuid() != 0:
        pytest.skip("the other one is an ordinary user already")
    account = nobody() if request.param == "ordinary user" else {}
    found = shutil.which("python3", path=BARE_PATH)
    if (
        not found
        or subprocess.run([found, "-c", "import sys, venv; assert sys.version_info >= (3, 11)"]).returncode
    ):
        pytest.skip("no Python 3.11 for everybody on this machine")
    # Not pytest's folder, which is closed to other users.
    with tempfile.TemporaryDirectory(prefix="fresh-", ignore_cleanup_errors=True) as folder:
        machine = Machine(Path(folder), account)
        machine.own(machine.home)
        yield machine


def wait_for(url: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - of this test's own
                return dict(json.load(response))
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert time.monotonic() < deadline, "nothing answers"
            time.sleep(0.1)


def test_one_command_ends_with_a_migrated_database_and_steps_that_work(machine: Machine) -> None:
    checkout = copy_checkout(machine.home / "a folder of mine" / "template")
    machine.own(machine.home)
    printed = ok(machine.run(checkout, "make", "bake"))
    project = checkout / "build" / "my_service"
    try:
        server = re.search(r"PostgreSQL (\d+)", printed)
        assert server
        assert int(server[1]) >= 15
        assert "create users" in printed
        steps = re.findall(
            r"^  (cd .*?|make [\w-]+) *(?:#.*)?$", printed.rpartition("Next:")[2], re.MULTILINE
        )
        assert steps == ["cd build/my_service", "make run", "make test", "make help"]

        port = free_port()
        served = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=project,
            env=environment(HOME=str(machine.home), PATH=BARE_PATH),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **machine.account,
        )
        try:
            health = wait_for(f"http://127.0.0.1:{port}/health/detailed")
            assert health["migrations"]["up_to_date"] is True
        finally:
            served.terminate()  # make hands it on, see Terminal.close in test_readmes.py
            served.wait(10)
        assert " passed" in ok(machine.run(project, "make", "test"))
        # A second time: nothing is lost, nothing is done twice.
        assert "my_service" in ok(machine.run(checkout, "make", "bake"))

        if not machine.account and os.geteuid() == 0:
            without_network(machine, project)
    finally:
        machine.run(project, "make", "db-down")
        remove_data_elsewhere(project)


def without_network(machine: Machine, project: Path) -> None:
    """Once made, a project needs no network: the daily loop in a name space that has none."""
    ok(machine.run(project, "make", "db-down"))
    (project / "app" / "models" / "product.py").write_text(PRODUCT, "utf-8")
    loop = (
        "ip link set lo up && make db-up && make db-test migrate && make migration MSG='add products'"
        " && make migrate migration-down && make migrate migration-current"
        " && make migration-check migrate-test lint typecheck test db-reset db-down"
    )
    printed = ok(machine.run(project, "unshare", "--net", "sh", "-c", loop))
    assert "add products" in printed
