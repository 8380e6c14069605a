"""Take each guard out of a copy of the template, and require the tests named with it to fail.

A proof is a file `proofs/*.patch`: lines `Guard: a sentence` and `Test: tests/folder/test_x.py::test_name …`,
then a diff in Git's form that removes the guard. Arguments are names of proofs; without any, all.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
ASSERTION = ("AssertionError", "assert ", "Failed: ")  # what pytest writes when a test itself says no


@dataclass(frozen=True)
class Proof:
    """One patch, and the tests that guard what it removes."""

    path: Path
    guard: str
    tests: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> "Proof":
        """Read the lines above the diff."""
        header = path.read_text("utf-8").partition("diff --git ")[0].splitlines()
        guards = [line.removeprefix("Guard: ") for line in header if line.startswith("Guard: ")]
        tests = [name for line in header if line.startswith("Test: ") for name in line.split()[1:]]
        if len(guards) != 1 or not tests:
            sys.exit(f"{path.name}: one line 'Guard: …' and a line 'Test: …' stand above the diff")
        return cls(path, guards[0], tuple(tests))

    def fault(self, copy: Path) -> str:
        """Why this proves nothing, or nothing at all. `copy` is the same afterwards as before."""
        applied = git_apply(copy, str(self.path))
        if applied.returncode != 0:
            return f"the patch does not apply: {' '.join(applied.stderr.split())}"
        try:
            outcomes = run(copy, self.tests)
        finally:
            git_apply(copy, str(self.path), "--reverse").check_returncode()
        wrong = [f"{name} {outcomes.get(name, 'did not run')}" for name in self.tests]
        return "; ".join(text for text in wrong if not text.endswith(" failed"))


def git_apply(copy: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`git apply` in a folder that is no repository, whatever stands above it."""
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(copy.parent)}
    command = ["git", "apply", *arguments]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)


def copy_to(folder: Path) -> Path:
    """Copy all that Git tracks, as it is now, and link the environment."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    copy = folder / ROOT.name
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return copy


def run(copy: Path, tests: tuple[str, ...]) -> dict[str, str]:
    """Run tests; for each that ran, `passed`, `failed` or what else became of it.

    A test with several parameters counts as its worst: failed where one of them did.
    """
    report = copy / "report.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "--junit-xml", str(report), *tests]
    environment = {name: value for name, value in os.environ.items() if name != "FAULTS"}
    subprocess.run(command, cwd=copy, env=environment, capture_output=True)
    outcomes: dict[str, str] = {}
    if not report.exists():
        return outcomes
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        module = case.get("classname", "").replace(".", "/")
        name, said = f"{module}.py::{case.get('name')}", outcome(case)
        outcomes[name] = said
        whole = name.partition("[")[0]
        if outcomes.get(whole) != "failed":
            outcomes[whole] = said
    return outcomes


def outcome(case: ElementTree.Element) -> str:
    """What became of a test, in a word if it is a usual one."""
    for kind in ("error", "failure", "skipped"):
        found = case.find(kind)
        if found is not None:
            message = " ".join((found.get("message") or "").split())
            if kind == "failure" and message.startswith(ASSERTION):
                return "failed"
            return f"ended with {kind}: {message[:200]}"
    return "passed"


def main(names: list[str]) -> int:
    """Prove all, or those of these names; 1 if one fails to."""
    paths = sorted(ROOT.glob("proofs/*.patch"))
    proofs = [Proof.read(path) for path in paths if not names or path.stem in names]
    if not proofs:
        sys.exit("no such proof")
    with tempfile.TemporaryDirectory(prefix="proofs-") as folder:
        copy = copy_to(Path(folder))
        tests = tuple(sorted({test for proof in proofs for test in proof.tests}))
        outcomes = run(copy, tests)
        said = {test: outcomes.get(test, "did not run") for test in tests}
        faults = [f"{test} {text} with all guards" for test, text in said.items() if text != "passed"]
        for fault in faults:
            print(f"not proved: {fault}")
        for proof in proofs:
            fault = proof.fault(copy)
            print(
                f"{'not proved' if fault else 'proved'}: {proof.path.stem}: {fault or proof.guard}",
                flush=True,
            )
            faults += [fault] if fault else []
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
