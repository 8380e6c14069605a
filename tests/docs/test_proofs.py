"""`make prove`: an entry of `proofs/guards.toml` that proves nothing is told apart from one that does."""

import subprocess
from pathlib import Path

import pytest

from proofs.guards import PROJECT, EntryError, read_guards
from proofs.prove import check_all, prove
from support.baking import CHECKOUT

CODE = """\
def half(number: int) -> int:
    if number % 2:
        raise ValueError("odd numbers have no half")
    return number // 2


def third(number: int) -> int:
    return number // 3
"""
TESTS = """\
import sys

import pytest

sys.path.insert(0, "{{cookiecutter.project_slug}}")
from app.numbers import half


@pytest.mark.parametrize("number", [3, 4])
def test_odd_numbers_are_refused(number):
    refused = False
    try:
        half(number)
    except ValueError:
        refused = True
    assert refused == (number == 3), "an odd number was halved"


def test_the_half_of_four_is_two():
    unused = "words of a line that does not fail"
    assert half(4) == 2
"""
COUNTED = """\
    import pathlib
    with pathlib.Path({file!r}).open("a+") as runs:
        runs.write("x")
        runs.seek(0)
        assert runs.read() != "xx", "the second run"
    refused = False"""
ODD = """\
[odd]
ensures = "Odd numbers are refused."
file = "app/numbers.py"
text = 'if number % 2:'
replacement = 'if False:'
tests = ["tests/test_numbers.py::test_odd_numbers_are_refused"]
fails_with = "an odd number was halved"
"""
TWICE = """\
[even]
ensures = "Even numbers are halved, and no others."
tests = [
    "tests/test_numbers.py::test_odd_numbers_are_refused[3]",
    "tests/test_numbers.py::test_the_half_of_four_is_two",
]
fails_with = ["an odd number was halved", "half(4) == 2"]

[[even.edits]]
file = "app/numbers.py"
text = 'if number % 2:'
replacement = 'if False:'

[[even.edits]]
file = "app/numbers.py"
text = 'return number // 2'
replacement = 'return number'
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a project of one module, and tests of it."""
    for name, content in {f"{PROJECT}/app/numbers.py": CODE, "tests/test_numbers.py": TESTS}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "proofs").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    return tmp_path


def write(root: Path, entries: str) -> None:
    (root / "proofs" / "guards.toml").write_text(entries, "utf-8")


def test_a_guard_is_proved_where_its_test_fails_with_the_words(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, ODD)
    assert prove(root, [])
    assert capsys.readouterr().out == "proved: odd: Odd numbers are refused.\n"
    assert (root / PROJECT / "app/numbers.py").read_text("utf-8") == CODE


def test_a_guard_in_two_places_is_taken_out_of_both(root: Path) -> None:
    write(root, TWICE)
    assert prove(root, ["even"])


def test_a_replacement_that_breaks_no_test_proves_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, ODD.replace("if number % 2:", "return number // 3").replace("if False:", "return 4"))
    assert not prove(root, [])
    passed = "odd: tests/test_numbers.py::test_odd_numbers_are_refused passed\n"
    assert capsys.readouterr().out == f"second try: {passed}not proved: {passed}"


def test_what_fails_once_for_another_reason_is_tried_again_and_printed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = root / "runs"
    (root / "tests/test_numbers.py").write_text(
        TESTS.replace("    refused = False", COUNTED.format(file=str(runs))), "utf-8"
    )
    write(root, ODD.replace("are_refused", "are_refused[3]"))
    assert prove(root, [])
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "proved: odd: Odd numbers are refused."
    assert said[0].startswith("second try: odd: tests/test_numbers.py::")
    assert "the second run" in said[0]


def test_what_this_machine_cannot_run_is_skipped_and_says_why(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "tests/test_numbers.py").write_text(
        TESTS.replace("    refused = False", "    pytest.skip('no numbers here')"), "utf-8"
    )
    write(root, ODD)
    assert prove(root, [])
    assert capsys.readouterr().out == (
        "skipped: odd: tests/test_numbers.py::test_odd_numbers_are_refused no numbers here\n"
    )


OTHER_FAILURES = {
    "other words": (
        ODD.replace("an odd number was halved", "a third"),
        "failed without the words 'a third': AssertionError: an odd number was halved",
    ),
    "words of a line that did not fail": (
        ODD.replace("'if number % 2:'", "'return number // 2'")
        .replace("'if False:'", "'return 1'")
        .replace("test_odd_numbers_are_refused", "test_the_half_of_four_is_two")
        .replace("an odd number was halved", "words of a line that does not fail"),
        "failed without the words 'words of a line that does not fail': assert 1 == 2",
    ),
    "an error": (
        ODD.replace("'if number % 2:'", "'number % 2'").replace("'if False:'", "'1 / 0'"),
        "ended with failure: ZeroDivisionError",
    ),
}


@pytest.mark.parametrize(("entry", "printed"), OTHER_FAILURES.values(), ids=OTHER_FAILURES)
def test_a_failure_for_another_reason_proves_nothing(
    root: Path, capsys: pytest.CaptureFixture[str], entry: str, printed: str
) -> None:
    write(root, entry)
    assert not prove(root, [])
    said = capsys.readouterr().out
    first, second = said.splitlines()
    assert first.startswith("second try: odd: tests/test_numbers.py::")
    assert second == first.replace("second try", "not proved")
    assert printed in second


INVALID = {
    "text that occurs twice": (
        ODD.replace("if number % 2:", "number //"),
        "odd: text occurs 2 times in app/numbers.py, not once",
    ),
    "text that is gone": (
        ODD.replace("number % 2", "number % 7"),
        "odd: text occurs 0 times in app/numbers.py, not once",
    ),
    "a file that is gone": (ODD.replace("app/numbers", "app/n"), "odd: there is no app/n.py in the project"),
    "nothing replaced": (ODD.replace("if False:", "if number % 2:"), "odd: replacement is the same as text"),
    "no Python": (
        ODD.replace("if False:", "if False"),
        "odd: replacement is no valid Python: app/numbers.py:2",
    ),
    "no such test": (
        ODD.replace("_are_refused", "_are_even"),
        "odd: there is no test tests/test_numbers.py::test_odd_numbers_are_even",
    ),
    "no words": (
        ODD.replace("an odd number was halved", ""),
        "odd: fails_with needs words for all tests, or one text for each",
    ),
    "a misspelled key": (ODD.replace("ensures", "ensure"), "odd: missing or unknown: ensure, ensures"),
}


@pytest.mark.parametrize(("entry", "reason"), INVALID.values(), ids=INVALID)
def test_an_entry_that_does_not_fit_the_code_is_one_line_and_nothing_runs(
    root: Path, capsys: pytest.CaptureFixture[str], entry: str, reason: str
) -> None:
    write(root, entry)
    with pytest.raises(EntryError) as refused:
        prove(root, [])
    assert str(refused.value) == reason
    assert capsys.readouterr().out == ""


def test_every_guard_fits_the_code() -> None:
    """`make prove` takes long; whoever moves a line sees here that an entry moves with it."""
    check_all(read_guards(CHECKOUT / "proofs" / "guards.toml"), CHECKOUT)
