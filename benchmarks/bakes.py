"""A bake of the template against cookiecutter on a template with one file."""

import shutil
import sys
from pathlib import Path

from benchmarks.measuring import Comparison, Side, users_environment
from support.baking import Baker


def bake_time(template: Path, folder: Path) -> Comparison:
    """Compare two bakes on the command line, nothing asked."""
    one_file = folder / "one-file"
    project = one_file / "{{cookiecutter.project_slug}}"
    project.mkdir(parents=True)
    (one_file / "cookiecutter.json").write_text('{"project_slug": "my_service"}', "utf-8")
    (project / "README.md").write_text("# {{cookiecutter.project_slug}}\n", "utf-8")
    return Comparison(
        "a bake",
        _side(template, folder / "ours"),
        _side(one_file, folder / "bare"),
        goal=0.5,
        kind="difference",
    )


def _side(template: Path, folder: Path) -> Side:
    folder.mkdir()
    baker = Baker(template, folder)

    def empty() -> None:
        shutil.rmtree(baker.projects, ignore_errors=True)
        baker.projects.mkdir()

    def proof(_said: str) -> bool:
        return (baker.projects / "my_service" / "README.md").is_file()

    command = [sys.executable, "-m", "cookiecutter", "--no-input", "--output-dir", str(baker.projects)]
    settings = {"COOKIECUTTER_CONFIG": baker.environment["COOKIECUTTER_CONFIG"]}
    return Side([*command, str(template)], folder, users_environment() | settings, empty, proof)
