"""Reads `guards.toml` and finds, before any test runs, the entries that no longer fit the code."""

import ast
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = "{{cookiecutter.project_slug}}"
EDIT = {"file", "text", "replacement"}
ENTRY = {"ensures", "tests", "fails_with"}


class EntryError(Exception):
    """An entry of `guards.toml` that cannot be used; one line that names it."""


@dataclass(frozen=True)
class Edit:
    """A piece of one file of the generated project, and what stands there without the guard."""

    file: str
    text: str
    replacement: str


@dataclass(frozen=True)
class Guard:
    """One entry: what takes the guard out, and the tests that must then fail with these words."""

    name: str
    ensures: str
    edits: tuple[Edit, ...]
    fails_with: dict[str, str]  # by node id

    def edited_files(self, root: Path) -> dict[Path, str]:
        """Return the files of the tree below `root` as they are without the guard.

        Raises:
            EntryError: an edit does not fit its file.
        """
        edited: dict[Path, str] = {}
        for edit in self.edits:
            path = root / PROJECT / edit.file
            if not path.is_file():
                raise EntryError(f"{self.name}: there is no {edit.file} in the project")
            before = edited.get(path) or path.read_text("utf-8")
            occurrences = before.count(edit.text)
            if occurrences != 1:
                raise EntryError(f"{self.name}: text occurs {occurrences} times in {edit.file}, not once")
            edited[path] = before.replace(edit.text, edit.replacement)
            if edited[path] == before:
                raise EntryError(f"{self.name}: replacement is the same as text")
        for path, content in edited.items():
            try:
                ast.parse(content if path.suffix == ".py" else "")
            except SyntaxError as error:
                place = f"{path.relative_to(root / PROJECT)}:{error.lineno}"
                raise EntryError(f"{self.name}: replacement is no valid Python: {place}") from None
        return edited

    def check(self, root: Path) -> None:
        """Check that the edits fit the tree below `root`, and that the tests exist there.

        Raises:
            EntryError: one of them does not.
        """
        self.edited_files(root)
        for test in self.fails_with:
            file, _, function = test.partition("[")[0].partition("::")
            path = root / file
            source = path.read_text("utf-8") if path.is_file() else ""
            if not re.search(rf"^def {re.escape(function)}\(", source, re.MULTILINE):
                raise EntryError(f"{self.name}: there is no test {test}")


def read_guards(path: Path) -> list[Guard]:
    """Read all entries.

    Raises:
        EntryError: one lacks a key, or has one that means nothing here.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise EntryError(f"{path.name}: {error}") from None
    return [_guard(name, entry) for name, entry in entries.items()]


def _guard(name: str, entry: dict[str, Any]) -> Guard:
    edits = entry.get("edits", [{key: entry[key] for key in EDIT if key in entry}])
    wrong = set(entry) ^ (ENTRY | ({"edits"} if "edits" in entry else EDIT))
    wrong |= {key for edit in edits for key in set(edit) ^ EDIT}
    if wrong:
        raise EntryError(f"{name}: missing or unknown: {', '.join(sorted(wrong))}")
    tests, words = entry["tests"], entry["fails_with"]
    if isinstance(words, str):  # the same for each test
        words = [words] * len(tests)
    if not tests or len(words) != len(tests) or not all(text.strip() for text in words):
        raise EntryError(f"{name}: fails_with needs words for all tests, or one text for each")
    return Guard(
        name,
        entry["ensures"],
        tuple(Edit(**edit) for edit in edits),
        dict(zip(tests, words, strict=True)),
    )
