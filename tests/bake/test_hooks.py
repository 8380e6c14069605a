"""What the hook makes of a fresh project: its .env, its Git repository, and what to type next."""

import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from support.baking import Baker, files


def settings(project: Path) -> dict[str, str | None]:
    return dotenv_values(project / ".env", interpolate=False)


def git(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, text=True)


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
