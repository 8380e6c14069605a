"""Runs tests in a copy of the template and reads from pytest's report what became of them."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ASSERTION = ("AssertionError", "assert ", "Failed: ")  # what pytest writes when a test itself says no
IN_FULL = ["-o", "verbosity_assertions=2"]  # by default pytest cuts what was compared, and words with it


@dataclass(frozen=True)
class Outcome:
    """What became of a test: `passed`, `failed` by an assertion of its own, `skipped`, or a word
    on what else."""

    result: str
    failure: str = ""

    @classmethod
    def read(cls, case: ElementTree.Element) -> "Outcome":
        """Read a `testcase` of the report."""
        for kind in ("error", "failure", "skipped"):
            found = case.find(kind)
            if found is None:
                continue
            message = found.get("message") or ""
            if kind == "failure" and message.startswith(ASSERTION):
                return cls("failed", _failure(found) or one_line(message))
            if kind == "skipped":
                return cls("skipped", one_line(message))
            return cls(f"ended with {kind}: {one_line(message)[:200]}")
        return cls("passed")


def _failure(found: ElementTree.Element) -> str:
    """What failed and then where, without the source above it, which is there whatever went wrong."""
    lines = (found.text or "").splitlines()
    marked = [line[1:] for mark in ("E ", ">") for line in lines if line.startswith(mark)]
    return one_line("\n".join(marked))


def one_line(text: str) -> str:
    """The same words with single spaces."""
    return " ".join(text.split())


def run_tests(copy: Path, tests: Iterable[str], *options: str) -> dict[str, list[Outcome]]:
    """Run tests; return the outcomes by node id: one for each parameter where it names none.

    Raises:
        RuntimeError: pytest ran none of them.
    """
    report = copy.parent / "report.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", *IN_FULL, "--junit-xml", str(report), *options, *tests]
    environment = {name: value for name, value in os.environ.items() if name != "FAULTS"}
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    outcomes: dict[str, list[Outcome]] = {}
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
            module = case.get("classname", "").replace(".", "/")
            name = f"{module}.py::{case.get('name')}"
            for node_id in {name, name.partition("[")[0]}:
                outcomes.setdefault(node_id, []).append(Outcome.read(case))
    if not outcomes:
        raise RuntimeError(f"pytest ran no test: {one_line(ran.stdout + ran.stderr)[-300:]}")
    return outcomes
