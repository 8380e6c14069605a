"""Any text at the prompts survives; any slug that is not one is refused."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from local_extensions import author, one_line, toml
from support.baking import Baker, files, keystrokes
from support.hostile_text import HOSTILE

hostile_text = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def assert_survives(project: Path, text: str, address: str) -> None:
    """Every file still parses, and those that show the text show it as it was typed."""
    for name in files(project):
        content = (project / name).read_text("utf-8")
        if name.endswith(".toml"):
            tomllib.loads(content)
        elif name.endswith((".yaml", ".yml")):
            yaml.safe_load(content)
    answers = json.loads((project / ".cookiecutter.json").read_text("utf-8"))["cookiecutter"]
    assert {answers[name] for name in ("project_name", "description", "author_name")} == {text}
    pyproject = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert pyproject["tool"]["service"]["title"] == text
    assert pyproject["project"]["description"] == text
    assert pyproject["project"]["authors"] == [{"name": f"{text} ({address})"}]
    for example in (project / ".env", project / ".env.example"):
        assert text in example.read_text("utf-8").splitlines()[0]
        assert sorted(dotenv_values(example)) == ["DATABASE_URL", "ENVIRONMENT"]
    readme = project / "README.md"
    if readme.exists():
        assert readme.read_text("utf-8").splitlines()[0] == f"# {text}"


@hostile_text
def test_text_typed_at_the_prompt_survives(bake: Baker, text: str) -> None:
    project = bake.typed(project_name=text, description=text, author_name=text, author_email=text)
    assert_survives(project, text, text)


@pytest.mark.long  # the same as typed text, on the other road into a bake
@hostile_text
def test_replayed_text_survives(bake: Baker, text: str) -> None:
    project = bake.replayed(project_name=text, description=text, author_name=text, author_email=text)
    assert_survives(project, text, text)


def test_text_typed_at_a_terminal_survives(bake: Baker) -> None:
    text = "".join(HOSTILE.values())
    controller, terminal = pty.openpty()
    bake.projects.mkdir()
    command = [sys.executable, "-m", "cookiecutter", str(bake.template), "-o", str(bake.projects)]
    with subprocess.Popen(command, stdin=terminal, env=bake.environment, stdout=subprocess.PIPE) as process:
        answers = keystrokes(project_name=text, project_slug="typed", description=text, author_name=text)
        os.write(controller, answers.encode())
        process.communicate(timeout=30)
    os.close(controller)
    os.close(terminal)
    pyproject = tomllib.loads((bake.projects / "typed" / "pyproject.toml").read_text("utf-8"))
    assert pyproject["tool"]["service"]["title"] == text
    assert pyproject["project"]["authors"] == [{"name": text, "email": "you@example.com"}]


def test_replayed_control_characters_break_no_file(bake: Baker) -> None:
    text = "a\nDATABASE_URL=x\r\nb\x00\x1b[31m\x7f\x85c\u2028d\ud83d"
    project = bake.replayed(project_name=text, description=text, author_name=text, author_email=text)
    assert sorted(dotenv_values(project / ".env")) == ["DATABASE_URL", "ENVIRONMENT"]
    assert (dotenv_values(project / ".env")["DATABASE_URL"] or "").startswith("postgresql")
    pyproject = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert pyproject["tool"]["service"]["title"] == text.replace("\ud83d", "?")


@pytest.mark.parametrize(
    ("name", "address", "expected"),
    [
        ("Ada", "ada@example.com", {"name": "Ada", "email": "ada@example.com"}),
        ('A "B"', "a.b+c@x-y.org", {"name": 'A "B"', "email": "a.b+c@x-y.org"}),
        ("Ada", "root@localhost", {"name": "Ada (root@localhost)"}),
        ("Ada", 'x", y = "z@example.com', {"name": 'Ada (x", y = "z@example.com)'}),
        ("Ada", "", {"name": "Ada"}),
        ("", "none", {"name": "(none)"}),
        ("", "", {"name": "Anonymous"}),
        ("", "ada@example.com", {"name": "", "email": "ada@example.com"}),
    ],
)
def test_an_author_has_an_address_where_installers_can_read_it(
    name: str, address: str, expected: dict[str, str]
) -> None:
    assert tomllib.loads(f'author = {{ name = "{author(name, address)}" }}')["author"] == expected


@pytest.mark.parametrize("character", [chr(code) for code in range(0xA0)] + ["\u2028", "🚀", "\ufeff"])
def test_one_character_survives_toml_and_stays_on_one_line(character: str) -> None:
    assert tomllib.loads(f'x = "a{toml(character)}b"')["x"] == f"a{character}b"
    assert len(f"a{one_line(character)}b".splitlines()) == 1
