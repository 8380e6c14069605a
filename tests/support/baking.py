"""Bake projects the way people do: on the command line, at the prompts, and from a replay file."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.commands import fork_server

CHECKOUT = Path(__file__).parents[2]
ANSWERS: dict[str, str | list[str]] = {
    name: default
    for name, default in json.loads((CHECKOUT / "cookiecutter.json").read_text("utf-8")).items()
    if not name.startswith("_")
}
DEFAULTS = {
    name: default[0] if isinstance(default, list) else default for name, default in ANSWERS.items()
} | {"project_slug": "my_service"}
LEFTOVERS = shutil.ignore_patterns(
    ".git", ".venv", ".cache", "build", "__pycache__", ".*_cache", "*.db", ".database"
)


def copy_checkout(target: Path) -> Path:
    """Copy the template as a fresh clone has it, without what tools left in this checkout."""
    return Path(shutil.copytree(CHECKOUT, target, ignore=LEFTOVERS))


class Baker:
    """Bakes one template below one folder, away from the home folder's cookiecutter settings."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.template, self.folder = template, folder
        self.projects = folder / "projects"
        self.python: list[str] = [sys.executable]
        settings = {name: str(folder / name) for name in ("cookiecutters_dir", "replay_dir")}
        config = folder / "cookiecutter.yaml"
        config.write_text(json.dumps(settings), "utf-8")
        self.environment = os.environ | {
            "COOKIECUTTER_CONFIG": str(config),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PYTHONUTF8": "1",
        }

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run cookiecutter on the template, with `typed` at its prompts; return what it printed."""
        self.projects.mkdir(exist_ok=True)
        command = ["-m", "cookiecutter", str(self.template), "--output-dir", str(self.projects), *arguments]
        server = fork_server(self.environment) if self.python == [sys.executable] else None
        if server:
            result = server.run(command, folder=Path.cwd(), environment=self.environment, typed=typed)
            if result:
                return result
        return subprocess.run(
            [*self.python, *command], input=typed, env=self.environment, capture_output=True, encoding="utf-8"
        )

    def __call__(self, **answers: str) -> Path:
        """Bake with the defaults and these answers, on the command line, which renders Jinja in them."""
        return self.project(self.run("--no-input", *(f"{name}={text}" for name, text in answers.items())))

    def typed(self, **answers: str) -> Path:
        """Bake with these answers typed at the prompts, and Enter at the others."""
        return self.project(self.run(typed=keystrokes(**answers)))

    def replayed(self, **answers: str) -> Path:
        """Bake from a replay file that holds the answers alone, as one of an older template may."""
        return self.project(self.run("--replay-file", str(self.replay_file(**answers))))

    def replay_file(self, **answers: str) -> Path:
        """Write a replay file."""
        path = self.folder / "answers.json"
        path.write_text(json.dumps({"cookiecutter": DEFAULTS | answers}), "utf-8")
        return path

    def project(self, result: subprocess.CompletedProcess[str]) -> Path:
        """Return the only project baked so far."""
        assert result.returncode == 0, result.stdout + result.stderr
        (project,) = self.projects.iterdir()
        return project


def keystrokes(**answers: str) -> str:
    """Return the lines to type, choices by their number."""
    lines = []
    for name, default in ANSWERS.items():
        answer = answers.pop(name, "")
        lines.append(str(default.index(answer) + 1) if answer and isinstance(default, list) else answer)
    assert not answers, f"no such prompt: {answers}"
    return "".join(f"{line}\n" for line in lines)


def files(project: Path) -> list[str]:
    """List a project's files, those of Git left out."""
    paths = (path.relative_to(project) for path in project.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if path.parts[0] != ".git")
