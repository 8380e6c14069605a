"""What comes out of a bake, on every road into it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from local_extensions import VERSION
from support.baking import ANSWERS, CHECKOUT, Baker, copy_checkout, files, keystrokes

PROJECT = "{{cookiecutter.project_slug}}"


def settings(project: Path) -> dict[str, str | None]:
    return dotenv_values(project / ".env", interpolate=False)


def test_a_project_has_exactly_these_files(default_project: Path) -> None:
    expected = (Path(__file__).parent / "project_files.txt").read_text("utf-8").split()
    assert files(default_project) == expected


def test_no_brace_of_the_template_is_left_in_a_project(default_project: Path) -> None:
    braces = r"(?<!\$)\{\{|\{%|\{#|^\s*#%"
    theirs = r"\{\{(?! ?\$?[a-z]+[ .|}])|\{%|\{#"  # a label or a value, for Prometheus or Grafana to write
    left = [
        f"{name}: {line.strip()}"
        for name in files(default_project)
        for line in (default_project / name).read_text("utf-8").splitlines()
        if re.search(theirs if name.startswith("deploy/") else braces, line)
        or re.search(r"(?<!\.)cookiecutter\.", line)
    ]
    assert left == []


def test_code_needs_no_rendering(template: Path, bake: Baker) -> None:
    suffixes = {".py", ".mako", ".ini"}
    project = bake(redis="yes")  # all files that a project can have
    code = [name for name in files(template / PROJECT) if Path(name).suffix in suffixes]
    changed = [n for n in code if (template / PROJECT / n).read_bytes() != (project / n).read_bytes()]
    assert code
    assert changed == []


def test_every_toml_and_yaml_file_of_the_template_parses_unrendered(template: Path) -> None:
    for path in (template / PROJECT).rglob("*"):
        if path.suffix == ".toml":
            tomllib.loads(path.read_text("utf-8"))
        elif path.suffix in {".yaml", ".yml"}:
            yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("database", "url"),
    [
        ("postgresql", r"postgresql\+asyncpg://app:[A-Za-z0-9]{32}@127\.0\.0\.1:5432/my_service_dev"),
        ("sqlite", r"sqlite\+aiosqlite:///my_service_dev\.db"),
    ],
)
def test_the_database_choice_sets_the_url_and_the_ci_and_nothing_else(
    bake: Baker, default_project: Path, database: str, url: str
) -> None:
    project = bake(database=database)
    assert re.fullmatch(url, settings(project)["DATABASE_URL"] or "")
    theirs = {".env", ".env.example", ".cookiecutter.json", ".github/workflows/ci.yml"}
    others = [name for name in files(project) if name not in theirs]
    assert others == [n for n in files(default_project) if n not in theirs]
    assert [n for n in others if (project / n).read_bytes() != (default_project / n).read_bytes()] == []


@pytest.mark.parametrize("python_version", ["3.11", "3.12", "3.13", "3.14", "3.15"])
def test_every_python_version_bakes_a_project_that_runs_on_3_11(bake: Baker, python_version: str) -> None:
    project = bake(python_version=python_version)
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["requires-python"] == ">=3.11"


def test_a_choice_that_is_none_is_refused(bake: Baker) -> None:
    assert bake.run("--no-input", "database=oracle").returncode != 0
    assert files(bake.projects) == []


def test_a_zip_of_the_checkout_bakes_the_same(bake: Baker, default_project: Path) -> None:
    copy_checkout(bake.folder / "zipped" / "service-template")
    archive = shutil.make_archive(
        str(bake.folder / "template"), "zip", bake.folder / "zipped", "service-template"
    )
    bake.template = Path(archive)
    assert files(bake()) == files(default_project)


def test_caches_in_the_checkout_stay_there(bake: Baker, default_project: Path) -> None:
    bake.template = copy_checkout(bake.folder / "used")
    for folder in ("app/__pycache__", "app/models/__pycache__", ".ruff_cache/0.1", ".mypy_cache/3.13"):
        left = bake.template / PROJECT / folder / "x.pyc"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"{{ \x8e text, as far as cookiecutter can tell" * 40)
    assert files(bake()) == files(default_project)


def test_a_replay_bakes_what_was_typed_the_last_time(bake: Baker) -> None:
    project = bake.typed(project_name='A "first" {{ name }}', database="sqlite", python_version="3.12")
    before = {name: (project / name).read_bytes() for name in files(project)}
    shutil.rmtree(project)
    assert bake.project(bake.run("--replay")) == project
    assert {name: (project / name).read_bytes() for name in files(project)} == before


def test_a_project_keeps_its_answers_and_the_version_whatever_was_baked_since(bake: Baker) -> None:
    project = bake.typed(project_name='A "first" {{ name }} \\ 🚀', database="sqlite", python_version="3.12")
    before = {name: (project / name).read_bytes() for name in files(project)}
    kept = bake.folder / "kept.json"
    shutil.move(project / ".cookiecutter.json", kept)
    content = json.loads(kept.read_text("utf-8"))
    assert content["template_version"] == VERSION
    assert content["cookiecutter"].keys() == ANSWERS.keys()
    shutil.rmtree(project)
    shutil.rmtree(bake())  # the last bake is another project's
    assert bake.project(bake.run("--replay-file", str(kept))) == project
    after = {name: (project / name).read_bytes() for name in files(project)}
    assert after.keys() == before.keys()
    assert [name for name in after if name != ".env" and after[name] != before[name]] == []
    assert settings(project)["DATABASE_URL"] == "sqlite+aiosqlite:///a_first_name_dev.db"


def interpreter(series: str) -> str:
    """Find a Python that runs; a version manager's stand-in may not."""
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    readable = os.access(managed, os.R_OK | os.X_OK)  # it may be somebody else's
    found = [shutil.which(f"python{series}")]
    found += [str(path) for path in managed.glob(f"{series}.*/bin/python")] if readable else []
    for candidate in filter(None, found):
        if subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
            return candidate
    pytest.skip(f"no Python {series} on this machine")


def use_cookiecutter(bake: Baker, number: str, python: str) -> None:
    """Let `bake` use a version of cookiecutter, on a Python, in an environment of its own."""
    environment, uv = bake.folder / "venv", [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", python, environment], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", str(environment), f"cookiecutter=={number}"]
    subprocess.run(install, check=True)
    bake.python = [str(environment / "bin" / "python")]


@pytest.mark.long
def test_the_oldest_cookiecutter_of_the_readme_bakes_and_replays_the_same(
    bake: Baker, default_project: Path
) -> None:
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    [oldest] = re.findall(r"Cookiecutter ([\d.]+) to [\d.]+ were tried", readme)
    use_cookiecutter(bake, oldest, sys.executable)
    project = bake()
    same = {name for name in files(project) if name != ".env"}
    for _ in range(2):
        assert files(project) == files(default_project)
        assert [n for n in same if (project / n).read_bytes() != (default_project / n).read_bytes()] == []
        kept = bake.folder / "kept.json"
        shutil.copy(project / ".cookiecutter.json", kept)
        shutil.rmtree(project)
        bake.project(bake.run("--replay-file", str(kept)))


@pytest.mark.long  # each needs an environment of its own
@pytest.mark.parametrize("series", ["3.11", "3.12", "3.13", "3.14", "3.15"])
def test_a_supported_python_bakes_without_a_warning(bake: Baker, default_project: Path, series: str) -> None:
    use_cookiecutter(bake, version("cookiecutter"), interpreter(series))
    bake.environment["PYTHONWARNINGS"] = "error"  # the hooks, which are processes of their own, see it, too
    result = bake.run("--no-input")
    assert files(bake.project(result)) == files(default_project)
    assert result.stderr == ""


def test_a_bake_needs_no_network(bake: Baker, default_project: Path) -> None:
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("not permitted to cut the network")
    bake.python = [*alone, sys.executable]
    assert files(bake()) == files(default_project)


def test_the_type_checker_knows_the_projects_own_dependencies(template: Path) -> None:
    project = tomllib.loads((template / PROJECT / "pyproject.toml").read_text("utf-8"))
    ours = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["project"]
    assert sorted(project["project"]["dependencies"] + project["dependency-groups"]["dev"]) == sorted(ours)


def test_keystrokes_name_every_prompt() -> None:
    prompts = json.loads((CHECKOUT / "cookiecutter.json").read_text("utf-8"))["__prompts__"]
    assert len(prompts) == keystrokes().count("\n")
