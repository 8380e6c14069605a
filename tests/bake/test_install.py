"""Every installer takes a project, whatever was typed as its author."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.baking import Baker
from support.hostile_text import HOSTILE

UV = [sys.executable, "-m", "uv"]
AUTHORS = {
    "defaults": {},
    "hostile": dict.fromkeys(("description", "author_name", "author_email"), "".join(HOSTILE.values())),
    "empty": dict.fromkeys(("description", "author_name", "author_email"), ""),
}
of_these_authors = pytest.mark.parametrize(
    "authors",
    [name if name == "hostile" else pytest.param(name, marks=pytest.mark.long) for name in AUTHORS],
)


@pytest.fixture
def project(bake: Baker, authors: str) -> Path:
    project = bake.replayed(**AUTHORS[authors])
    (project / "README.md").touch()
    return project


def run(project: Path, *command: str) -> str:
    result = subprocess.run(command, cwd=project, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def python(project: Path, code: str, folder: Path | None = None) -> str:
    return run(folder or project, str(project / ".venv" / "bin" / "python"), "-c", code).strip()


@pytest.mark.slow
@of_these_authors
def test_uv_installs_a_project(project: Path) -> None:
    run(project, *UV, "sync", "--quiet")
    assert python(project, "import app, fastapi, pytest; print(app.__name__)") == "app"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("authors", "editable"),
    [
        pytest.param("defaults", (), marks=pytest.mark.long, id="copied"),
        pytest.param("defaults", ("--editable",), marks=pytest.mark.long, id="defaults"),
        pytest.param("hostile", ("--editable",), id="hostile"),
        pytest.param("empty", ("--editable",), marks=pytest.mark.long, id="empty"),
    ],
)
def test_pip_installs_a_project(project: Path, tmp_path: Path, editable: tuple[str, ...]) -> None:
    run(project, *UV, "venv", "--quiet", "--seed", "--python", sys.executable, ".venv")
    pip = [str(project / ".venv" / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    run(project, *pip, "--no-deps", *editable, ".")
    installed = Path(python(project, "import app; print(app.__file__)", tmp_path))
    assert installed.is_relative_to(project / ("app" if editable else ".venv"))
    metadata = "from importlib.metadata import requires; print(*requires('my_service'))"
    assert "fastapi" in python(project, metadata, tmp_path)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("authors", ["hostile", "empty"])
def test_poetry_installs_a_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(project, *UV, "venv", "--quiet", "--seed", "--python", sys.executable, ".venv")
    # Read by its plain pages, which every mirror of the index has, unlike what Poetry asks for of itself.
    index = python(project, "from pip._internal.models.index import PyPI; print(PyPI.simple_url)")
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[[tool.poetry.source]]\nname = "index"\nurl = "{index}/"\npriority = "primary"\n')
    monkeypatch.setenv("VIRTUAL_ENV", str(project / ".venv"))  # else `python -m uv` names the template's own
    run(project, *UV, "tool", "run", "--quiet", "poetry", "install", "--no-interaction")
    assert python(project, "import app, fastapi, pytest; print(app.__name__)") == "app"
