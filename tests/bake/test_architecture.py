"""The two houses and the arrows between their packages, drawn from the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.baking import CHECKOUT

PROJECT = CHECKOUT / "{{cookiecutter.project_slug}}"
# A package imports from its own row and from those below it: the table of dbkit/__init__.py.
ROWS = (
    ("asgi", "cli", "environment", "metrics", "startup", "status", "__main__"),
    ("testing",),
    ("adoption", "diagram", "report", "scaffold"),
    ("checks",),
    ("autogenerate",),
    ("metadata",),
    ("throwaways",),
    ("devserver",),
    ("execution",),
    ("locking",),
    ("history",),
    ("revisions",),
    ("operations",),
    ("sql_files",),
    ("transactions",),
    ("schema",),
    ("connection",),
    (
        *(
            "errors",
            "redaction",
            "request",
            "settings",
            "config",
            "signals",
            "meter",
            "alembic_internals",
            "memory",
            "modules",
            "sql_type",
            "table_names",
            "files",
        ),
        "__init__",
    ),
)
ROW = {name: number for number, names in enumerate(ROWS) for name in names}
LONGEST = 150  # lines of a module, about
LONGER = {"execution/executor.py", "operations/backfill.py", "transactions/guard.py"}


def modules(folder: Path) -> list[Path]:
    """All modules below a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    """The names of the modules that a file imports, wherever it does; `from a import b` may mean `a.b`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def package_of(name: str) -> str:
    """The package of dbkit that `dbkit.package.module.name` belongs to; `dbkit.PROJECT` is its own."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROW else "__init__"


def test_every_package_of_the_kit_has_its_row() -> None:
    names = {path.stem if path.is_file() else path.name for path in (PROJECT / "dbkit").iterdir()}
    assert names - {"VERSION", "__pycache__"} == set(ROW)


def test_the_kit_knows_nothing_of_the_service() -> None:
    for path in modules(PROJECT / "dbkit"):
        for name in imported(path):
            assert name.split(".")[0] not in ("app", "tests", "fastapi"), f"{path}: {name}"
    for path in (PROJECT / "dbkit").rglob("*.*"):
        if path.suffix not in (".py", ".pyc"):  # such as a text to write code from
            assert not re.search(r"(from|import) (app|fastapi)\b", path.read_text("utf-8")), path


@pytest.mark.parametrize("path", modules(PROJECT / "dbkit"), ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_go_down_only(path: Path) -> None:
    own = path.relative_to(PROJECT / "dbkit").parts[0].removesuffix(".py")
    for name in imported(path):
        if name.split(".")[0] == "dbkit" and package_of(name) != own:
            assert ROW[own] <= ROW[package_of(name)], f"{own} imports {name}"


def test_no_imports_go_in_a_circle() -> None:
    names = {".".join(path.relative_to(PROJECT).with_suffix("").parts): path for path in modules(PROJECT)}

    def arrows(module: str) -> set[str]:
        found = set()
        for name in imported(names[module]):
            candidates = (name, name.rpartition(".")[0])
            found |= {c for c in candidates if c in names and c != module}
        return found

    graph = {module: arrows(module) for module in names}
    while leaves := {module for module, targets in graph.items() if not targets & graph.keys()}:
        graph = {module: targets for module, targets in graph.items() if module not in leaves}
    assert not graph


def test_only_the_interface_of_the_service_knows_fastapi() -> None:
    for path in modules(PROJECT / "app"):
        inside = path.relative_to(PROJECT / "app").parts[0]
        if inside not in ("api", "main.py"):
            assert not any(name.split(".")[0] == "fastapi" for name in imported(path)), path


def test_every_package_of_the_kit_begins_with_its_idea() -> None:
    for path in modules(PROJECT / "dbkit"):
        text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        first = text.partition("\n")[0]
        assert first.endswith((".", ":", "?", "`")), f"{path}: {first!r}"


def test_modules_are_short() -> None:
    lengths = {
        path.relative_to(PROJECT / "dbkit").as_posix(): len(path.read_text("utf-8").splitlines())
        for path in modules(PROJECT / "dbkit")
    }
    assert {name for name, lines in lengths.items() if lines > LONGEST * 1.1} <= LONGER
