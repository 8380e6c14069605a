"""The prompt `redis`: whole files more, and lines in the few files that name services."""

import json
import tomllib
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from support.baking import Baker, files

pytestmark = pytest.mark.long

OWN = {
    "app/api/redis.py",
    "app/redis.py",
    "dbkit/devserver/redis/__init__.py",
    "dbkit/devserver/redis/address.py",
    "dbkit/devserver/redis/down.py",
    "dbkit/devserver/redis/programs.py",
    "dbkit/devserver/redis/server.py",
    "dbkit/devserver/redis/up.py",
    "tests/fixtures_redis.py",
    "tests/test_redis.py",
}
WITH_CONDITIONS = {".env.example", ".github/workflows/ci.yml", "README.md", "compose.yaml", "pyproject.toml"}
MADE_BY_THE_BAKE = {".cookiecutter.json", ".env", "dbkit/CHECKSUMS"}
# The kit's command line looks whether its package is there.
NAMES_IT = {".cookiecutter.json", "dbkit/cli/devserver.py", "dbkit/CHECKSUMS"}


def test_it_adds_whole_files_and_changes_only_those_that_name_services(
    bake: Baker, default_project: Path
) -> None:
    project = bake(redis="yes")
    assert set(files(project)) - set(files(default_project)) == OWN
    assert set(files(default_project)) <= set(files(project))
    changed = {
        name
        for name in files(default_project)
        if (project / name).read_bytes() != (default_project / name).read_bytes()
    }
    assert changed == WITH_CONDITIONS | MADE_BY_THE_BAKE
    for name in changed:
        assert "#%" not in (project / name).read_text("utf-8")


def test_a_project_without_it_does_not_speak_of_it(default_project: Path) -> None:
    speaking = {
        name
        for name in files(default_project)
        if "redis" in (default_project / name).read_text("utf-8").lower()
    }
    assert speaking <= NAMES_IT
    for name in WITH_CONDITIONS:
        assert "#%" not in (default_project / name).read_text("utf-8")


@pytest.mark.parametrize("database", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)])
def test_its_url_has_a_password_of_its_own_and_its_services_listen_here_only(
    bake: Baker, database: str
) -> None:
    project = bake(redis="yes", database=database)
    settings = dotenv_values(project / ".env", interpolate=False)
    url = settings["REDIS_URL"] or ""
    password = url.removeprefix("redis://:").removesuffix("@127.0.0.1:6379/0")
    assert len(password) == 32
    assert password not in (settings["DATABASE_URL"] or "")
    assert (project / ".env").stat().st_mode & 0o777 == 0o600
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]
    assert services["redis"]["ports"] == ["127.0.0.1:${REDIS_PORT:-6379}:6379"]
    assert "$$REDIS_PASSWORD" in services["redis"]["command"][2]
    job = yaml.safe_load((project / ".github/workflows/ci.yml").read_text())["jobs"]["test"]
    assert "redis" in job["services"]
    assert job["env"]["REDIS_URL"] == "redis://127.0.0.1:6379/0"
    dependencies = tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]
    assert "redis>=8" in dependencies


@pytest.mark.long
def test_answers_of_a_template_without_the_prompt_bake_a_project_without_it(
    bake: Baker, default_project: Path
) -> None:
    old = bake.replay_file()
    content = json.loads(old.read_text())
    del content["cookiecutter"]["redis"]
    old.write_text(json.dumps(content))
    project = bake.project(bake.run("--replay-file", str(old), typed="\n"))
    assert files(project) == files(default_project)
