"""`make prove`: an entry of `proofs/guards.toml` that proves nothing is told apart from one that does."""

import subprocess
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from proofs.guards import PROJECT, EntryError, read_guards
from proofs.prove import check_all, prove
from support.baking import CHECKOUT
from support.processes import LONG
from support.projects import WITHOUT_PLUGINS

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
from pathlib import Path

import pytest

sys.path.insert(0, "{{cookiecutter.project_slug}}")
from app.numbers import half


def is_refused(number):
    try:
        half(number)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("number", [3, 4])
def test_odd_numbers_are_refused(number):
    assert is_refused(number) == (number == 3), "an odd number was halved"


def test_the_half_of_four_is_two():
    unused = "words of a line that does not fail"
    assert half(4) == 2


def test_that_fails_for_another_reason_the_first_time():
    if not is_refused(3):
        ran = Path(__file__).with_name("ran")
        first, _ = not ran.exists(), ran.touch()
        assert not first, "the machine was busy"
    assert is_refused(3), "an odd number was halved"


def test_that_cannot_run():
    pytest.skip("no numbers here")
"""
ODD = """\
[odd]
ensures = "Odd numbers are refused."
file = "app/numbers.py"
text = 'if number % 2:'
replacement = 'if False:'
tests = ["tests/test_numbers.py::test_odd_numbers_are_refused"]
fails_with = "an odd number was halved"
"""
ANOTHER_TEST = ODD.replace("odd_numbers_are_refused", "that_{0}")
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
# By name: an entry, the verdict, and what it says of its first test.
ENTRIES = {
    "right": (ODD, "proved", "Odd numbers are refused."),
    "two_places": (TWICE, "proved", "Even numbers are halved, and no others."),
    "breaks_no_test": (
        ODD.replace("if number % 2:", "return number // 3").replace("if False:", "return 4"),
        "not proved",
        "test_odd_numbers_are_refused passed",
    ),
    "other_words": (
        ODD.replace("an odd number was halved", "a third"),
        "not proved",
        "failed without the words 'a third': AssertionError: an odd number was halved",
    ),
    "words_of_a_line_that_did_not_fail": (
        ODD.replace("'if number % 2:'", "'return number // 2'")
        .replace("'if False:'", "'return 1'")
        .replace("test_odd_numbers_are_refused", "test_the_half_of_four_is_two")
        .replace("an odd number was halved", "words of a line that does not fail"),
        "not proved",
        "failed without the words 'words of a line that does not fail': assert 1 == 2",
    ),
    "an_error": (
        ODD.replace("'if number % 2:'", "'number % 2'").replace("'if False:'", "'1 / 0'"),
        "not proved",
        "ended with failure: ZeroDivisionError",
    ),
    "second_try": (
        ANOTHER_TEST.format("fails_for_another_reason_the_first_time"),
        "proved",
        "Odd numbers are refused.",
    ),
    "skipped": (ANOTHER_TEST.format("cannot_run"), "skipped", "test_that_cannot_run no numbers here"),
}

IN_THE_LONG_VERSION = ("other_words", "an_error")  # are not proved for words that are not there, as another


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a project of one module, and tests of it."""
    # Most of pytest's start.
    monkeypatch.setenv("PYTEST_ADDOPTS", f"-p no:anyio -p no:asyncio {WITHOUT_PLUGINS}")
    root = tmp_path
    for name, content in {f"{PROJECT}/app/numbers.py": CODE, "tests/test_numbers.py": TESTS}.items():
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(content, "utf-8")
    (root / "proofs").mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    return root


def write(root: Path, entries: str) -> None:
    (root / "proofs" / "guards.toml").write_text(entries, "utf-8")


def test_each_entry_has_its_verdict(root: Path) -> None:
    entries = {name: entry for name, entry in ENTRIES.items() if LONG or name not in IN_THE_LONG_VERSION}
    named = (
        entry.replace("[odd]", f"[{name}]").replace("[even", f"[{name}")
        for name, (entry, _, _) in entries.items()
    )
    write(root, "\n".join(named))
    with redirect_stdout(StringIO()) as printed:
        assert not prove(root, [])
    assert (root / PROJECT / "app/numbers.py").read_text("utf-8") == CODE
    lines = printed.getvalue().splitlines()
    for name, (_, verdict, words) in entries.items():
        *before, last = (line for line in lines if f"{name}: " in line)
        assert last.startswith(f"{verdict}: {name}: ")
        assert words in last
        if name == "second_try":
            assert before[0].startswith("second try: second_try: ")
            assert "failed without the words 'an odd number was halved': " in before[0]
            assert "the machine was busy" in before[0]
        elif verdict == "not proved":
            assert before == [last.replace("not proved", "second try", 1)]
        else:
            assert before == []


def test_all_proved_is_a_success(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root, ODD)
    assert prove(root, ["odd"])
    assert capsys.readouterr().out == "proved: odd: Odd numbers are refused.\n"


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
