"""Takes each guard of `guards.toml` out of a copy of the template, and requires its tests to fail.

Arguments are names of guards; without any, all of them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from proofs.guards import EntryError, Guard, read_guards
from proofs.outcomes import Outcome, one_line, run_tests

ROOT = Path(__file__).resolve().parents[1]
WORKERS = max(2, (os.cpu_count() or 1) * 3 // 2)  # tests wait a lot for the processes they start
SHOWN = 300  # characters of a failure


def copy_tracked_files(root: Path, folder: Path) -> Path:
    """Copy all that Git tracks, as it is now, and link the environment."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
    copy = folder / root.name
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
    (copy / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return copy


@contextmanager
def without(guard: Guard, copy: Path) -> Iterator[None]:
    """Take a guard out of a copy, and put it back."""
    edited = guard.edited_files(copy)
    originals = {path: path.read_bytes() for path in edited}
    try:
        for path, content in edited.items():
            path.write_text(content, "utf-8")
        yield
    finally:
        for path, original in originals.items():
            path.write_bytes(original)


def failures_with_all_guards(guards: list[Guard], copy: Path) -> list[str]:
    """Run all tests with all guards in place; return what is wrong with those that do not pass.

    What fails beside all the others has a second try by itself, and is printed.
    """
    tests = sorted({test for guard in guards for test in guard.fails_with})
    workers = ["-n", str(WORKERS), "--dist", "loadgroup"] if len(tests) > WORKERS else []
    wrong = _not_passed(tests, run_tests(copy, tests, *workers))
    if wrong and workers:
        for test, result in wrong.items():
            print(f"second try: {test} {result} with all guards", flush=True)
        wrong = _not_passed(list(wrong), run_tests(copy, wrong))
    return [f"{test} {result} with all guards" for test, result in wrong.items()]


def _not_passed(tests: list[str], outcomes: dict[str, list[Outcome]]) -> dict[str, str]:
    results = {test: _results(outcomes.get(test, [])) for test in tests}
    return {test: result for test, result in results.items() if result not in ("passed", "skipped")}


def _results(outcomes: list[Outcome]) -> str:
    return ", ".join(sorted({outcome.result for outcome in outcomes})) or "did not run"


def verdict_without(guard: Guard, copies: "Queue[Path]") -> tuple[str, list[str]]:
    """Run a guard's tests without it, in a copy that is free.

    Returns:
        `proved`, `not proved` or `skipped`, and why it is not proved: a line for each test.
    """
    copy = copies.get()
    try:
        with without(guard, copy):
            verdict, reasons = _try(guard, copy)
            if verdict == "not proved":
                print(f"second try: {guard.name}: {'; '.join(reasons)}", flush=True)
                verdict, reasons = _try(guard, copy)
        return verdict, reasons
    except RuntimeError as error:
        return "not proved", [str(error)]
    finally:
        copies.put(copy)


def _try(guard: Guard, copy: Path) -> tuple[str, list[str]]:
    outcomes = run_tests(copy, guard.fails_with)
    wrong, skipped = [], []
    for test, words in guard.fails_with.items():
        ran = outcomes.get(test, [])
        failures = [outcome.failure for outcome in ran if outcome.result == "failed"]
        if failures and not any(one_line(words) in failure for failure in failures):
            wrong.append(f"{test} failed without the words '{words}': {failures[0][:SHOWN]}")
        elif not failures and _results(ran) == "skipped":
            skipped.append(f"{test} {ran[0].failure}")
        elif not failures:
            wrong.append(f"{test} {_results(ran)}")
    if wrong:
        return "not proved", wrong
    return ("skipped", skipped) if skipped else ("proved", [])


def prove(root: Path, names: list[str]) -> bool:
    """Print for each guard, or for those of these names, whether it is proved; false if one is not.

    What goes wrong has a second try, because a test can fail on its own on a busy machine; both are printed.
    A test that this machine cannot run (no PgBouncer) is skipped, as `make test` skips it.

    Raises:
        EntryError: an entry does not fit the code; nothing was run.
    """
    guards = read_guards(root / "proofs" / "guards.toml")
    if unknown := set(names) - {guard.name for guard in guards}:
        raise EntryError(f"no such guard: {', '.join(sorted(unknown))}")
    guards = [guard for guard in guards if guard.name in names or not names]
    check_all(guards, root)
    with tempfile.TemporaryDirectory(prefix="proofs-") as folder, ThreadPoolExecutor(WORKERS) as pool:
        copies: Queue[Path] = Queue()
        for number in range(WORKERS):
            copies.put(copy_tracked_files(root, Path(folder) / str(number)))
        wrong = failures_with_all_guards(guards, copies.queue[0])
        for line in wrong:
            print(f"not proved: {line}", flush=True)
        tasks = {pool.submit(verdict_without, guard, copies): guard for guard in guards}
        for task in as_completed(tasks):
            guard = tasks[task]
            verdict, reasons = task.result()
            print(f"{verdict}: {guard.name}: {'; '.join(reasons) or guard.ensures}", flush=True)
            wrong += reasons if verdict == "not proved" else []
    return not wrong


def check_all(guards: list[Guard], root: Path) -> None:
    """Check that all entries fit the tree below `root`.

    Raises:
        EntryError: a line for each that does not.
    """
    lines = []
    for guard in guards:
        try:
            guard.check(root)
        except EntryError as error:
            lines.append(str(error))
    if lines:
        raise EntryError("\n".join(lines))


if __name__ == "__main__":
    try:
        sys.exit(0 if prove(ROOT, sys.argv[1:]) else 1)
    except (EntryError, RuntimeError) as error:
        sys.exit(str(error))
