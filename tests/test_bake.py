"""What comes out of a bake, on every road into it."""

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from baking import CHECKOUT, Baker, copy_checkout, files, keystrokes

PROJECT = "{{cookiecutter.project_slug}}"


def settings(project: Path) -> dict[str, str | None]:
    return dotenv_values(project / ".env", interpolate=False)


def git(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, text=True)


def test_a_project_has_exactly_these_files(default_project: Path) -> None:
    expected = (Path(__file__).parent / "project_files.txt").read_text("utf-8").split()
    assert files(default_project) == expected


def test_no_brace_of_the_template_is_left_in_a_project(default_project: Path) -> None:
    left = [
        f"{name}: {line.strip()}"
        for name in files(default_project)
        for line in (default_project / name).read_text("utf-8").splitlines()
        if re.search(r"(?<!\$)\{\{|\{%|\{#|cookiecutter\.", line)
    ]
    assert left == []


def test_code_needs_no_rendering(template: Path, default_project: Path) -> None:
    suffixes = {".py", ".mako", ".ini"}
    code = [name for name in files(template / PROJECT) if Path(name).suffix in suffixes]
    changed = [n for n in code if (template / PROJECT / n).read_bytes() != (default_project / n).read_bytes()]
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
def test_the_database_choice_sets_the_url_and_nothing_else(
    bake: Baker, default_project: Path, database: str, url: str
) -> None:
    project = bake(database=database)
    assert re.fullmatch(url, settings(project)["DATABASE_URL"] or "")
    others = [name for name in files(project) if name not in {".env", ".env.example"}]
    assert others == [n for n in files(default_project) if n not in {".env", ".env.example"}]
    assert [n for n in others if (project / n).read_bytes() != (default_project / n).read_bytes()] == []


@pytest.mark.parametrize("python_version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_version_bakes_a_project_that_runs_on_3_11(bake: Baker, python_version: str) -> None:
    project = bake(python_version=python_version)
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["requires-python"] == ">=3.11"


def test_a_choice_that_is_none_is_refused(bake: Baker) -> None:
    assert bake.run("--no-input", "database=oracle").returncode != 0
    assert files(bake.projects) == []


def test_env_holds_a_random_password_for_its_owner_alone(bake: Baker, default_project: Path) -> None:
    project = bake()
    urls = [settings(path)["DATABASE_URL"] for path in (project, default_project)]
    assert urls[0] != urls[1]
    assert "CHANGE_ME" not in (project / ".env").read_text()
    assert "CHANGE_ME" in (project / ".env.example").read_text()
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600


def test_baking_over_a_project_keeps_its_env(bake: Baker) -> None:
    project = bake()
    before = (project / ".env").read_bytes()
    result = bake.run("--no-input", "--overwrite-if-exists")
    assert result.returncode == 0
    assert (project / ".env").read_bytes() == before
    assert "Kept the .env" in result.stdout


def test_git_is_ready_for_a_first_commit_that_the_owner_makes(default_project: Path) -> None:
    assert git(default_project, "symbolic-ref", "HEAD").stdout == "refs/heads/main\n"
    assert git(default_project, "rev-parse", "--verify", "HEAD").returncode != 0
    listed = git(default_project, "ls-files", "--others", "--exclude-standard").stdout.splitlines()
    assert set(files(default_project)) - set(listed) == {".env"}


@pytest.mark.parametrize("name", ["uv.lock", "alembic.ini", "app/models/user.py"])
def test_git_keeps_what_a_deployment_needs(default_project: Path, name: str) -> None:
    assert git(default_project, "check-ignore", "--quiet", name).returncode == 1


@pytest.mark.parametrize("name", [".env", "x.db", "x.db-wal", ".database/data/PG_VERSION", ".venv/x"])
def test_git_ignores_what_is_of_one_machine(default_project: Path, name: str) -> None:
    assert git(default_project, "check-ignore", "--quiet", name).returncode == 0


def test_a_project_inside_another_repository_has_its_own(bake: Baker) -> None:
    git(bake.folder, "init")
    # As in a Git hook of the outer repository.
    bake.environment["GIT_DIR"] = str(bake.folder / ".git")
    bake.environment["GIT_WORK_TREE"] = str(bake.folder)
    assert (bake() / ".git" / "HEAD").is_file()


@pytest.mark.parametrize(
    "script", [None, "#!/bin/sh\necho 'fatal: no' >&2; exit 128\n"], ids=["missing", "failing"]
)
def test_without_git_a_line_says_so_and_the_project_is_there(bake: Baker, script: str | None) -> None:
    programs = bake.folder / "bin"
    programs.mkdir()
    if script:
        (programs / "git").write_text(script)
        (programs / "git").chmod(0o755)
    bake.environment["PATH"] = str(programs)
    result = bake.run("--no-input")
    assert (bake.project(result) / ".env").is_file()
    assert len(re.findall("No Git repository.*", result.stdout)) == 1
    assert result.stderr == ""


def test_the_next_steps_can_be_typed_whatever_the_folder_is_called(bake: Baker) -> None:
    bake.projects = bake.folder / "it's a $HOME"
    printed = bake.run("--no-input").stdout.splitlines()
    (cd,) = [line.strip() for line in printed if line.strip().startswith("cd ")]
    assert shlex.split(cd) == ["cd", str(bake.projects / "my_service")]
    assert [line.split()[1] for line in printed if line.startswith("  make ")] == ["db-up", "migrate", "run"]


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


def interpreter(series: str) -> str:
    """Find a Python that runs; a version manager's stand-in may not."""
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [shutil.which(f"python{series}"), *map(str, managed.glob(f"{series}.*/bin/python"))]
    for candidate in filter(None, found):
        if subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
            return candidate
    pytest.skip(f"no Python {series} on this machine")


@pytest.mark.parametrize("series", ["3.11", "3.12", "3.13"])
def test_a_supported_python_bakes_without_a_warning(bake: Baker, default_project: Path, series: str) -> None:
    environment, uv = bake.folder / "venv", [sys.executable, "-m", "uv"]
    cookiecutter = f"cookiecutter=={version('cookiecutter')}"
    subprocess.run([*uv, "venv", "--quiet", "--python", interpreter(series), environment], check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", environment, cookiecutter], check=True)
    bake.python = [str(environment / "bin" / "python")]
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
