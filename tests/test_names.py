"""Any text at the prompts survives; any slug that is not one is refused."""

import os
import pty
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from baking import Baker, files, keystrokes
from local_extensions import author, one_line, service_slug, toml

HOSTILE = {
    "double quotes": 'He said "hi" and """bye"""',
    "single quotes": "it's '''fine'''",
    "dollars": "$HOME ${HOME} $(touch x) `touch x` $$",
    "an expression": "{{ 7*7 }} {{ cookiecutter.nothing }}",
    "a statement": "{% if %} {% raw %} {# comment",
    "backslashes": r"C:\Users\new\table\\ \"",
    "a comment": "# one #two",
    "a mapping": "key: value: [a, b] {c: d}",
    "emoji": "🚀 👩‍🚀 Größe",
    "right-to-left": "שירות العربية",
    "markup": "[bold]x[/bold] <b>&amp;</b> %s %(x)s 100%",
    "a dash": "- --help",
}
hostile_text = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def assert_survives(project: Path, text: str, address: str) -> None:
    """Every file still parses, and those that show the text show it as it was typed."""
    for name in files(project):
        content = (project / name).read_text("utf-8")
        if name.endswith(".toml"):
            tomllib.loads(content)
        elif name.endswith((".yaml", ".yml")):
            yaml.safe_load(content)
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
    ("name", "slug"),
    [
        ("My Service", "my_service"),
        ("Größe 2!", "grosse_2"),
        ("2 fast", "service_2_fast"),
        ("🚀", "service"),
        ("", "service"),
        ("../x", "x"),
        ("__init__", "init"),
        ("Ünï-cödé  & more", "uni_code_more"),
        ("日本", "ri_ben"),
        ("x" * 80, "x" * 48),
        ("x" * 47 + " y", "x" * 47),
        ("9" * 80, "service_" + "9" * 40),
    ],
)
def test_a_slug_is_derived_from_any_name(name: str, slug: str) -> None:
    assert service_slug(name) == slug
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,47}", slug)


def test_the_derived_slug_is_offered_at_the_prompt(bake: Baker) -> None:
    assert bake.typed(project_name="Größe 2!").name == "grosse_2"


BAD_SLUGS = ["My", "my-service", "2fast", "_x", "x y", "größe", "x" * 49, "x" * 300, "a/b", "../x", ".", "/"]
INJECTIONS = ['"; import os', "'", "\\", "x\ny", '"""', "🚀"]
REFUSAL = re.compile(r"project_slug .* is refused: it must match \^\[a-z\]\[a-z0-9_\]\{0,47\}\$ .*\n")


@pytest.mark.parametrize("slug", [*BAD_SLUGS, *INJECTIONS])
def test_a_bad_slug_is_refused_in_one_line_and_leaves_no_folder(bake: Baker, slug: str) -> None:
    before = sorted(bake.folder.iterdir())
    result = bake.run("--no-input", f"project_slug={slug}")
    assert result.returncode == 1
    assert REFUSAL.fullmatch(result.stdout + result.stderr)
    assert list(bake.projects.iterdir()) == []
    assert sorted(bake.folder.iterdir()) == sorted([*before, bake.projects])


def test_an_empty_slug_is_refused(bake: Baker) -> None:
    result = bake.run("--no-input", "project_slug=")
    assert REFUSAL.fullmatch(result.stdout + result.stderr)


def test_a_bad_slug_is_refused_before_the_next_question(bake: Baker) -> None:
    result = bake.run(typed="My Service\nNot A Slug\n")
    assert result.returncode == 1
    assert REFUSAL.search(result.stdout)
    assert "sentence" not in result.stdout


@pytest.mark.parametrize("slug", ["My", "x y", "größe", "../x", "x\n", "{{ 7*7 }}", *INJECTIONS])
def test_a_bad_slug_in_a_replay_file_is_refused_by_the_hook(bake: Baker, slug: str) -> None:
    result = bake.run("--replay-file", str(bake.replay_file(project_slug=slug)))
    assert result.returncode == 1
    assert len(REFUSAL.findall(result.stderr)) == 1
    assert list(bake.projects.iterdir()) == []
    assert not (bake.folder / "x").exists()


@pytest.mark.parametrize("slug", ["a", "a_", "a___b", "x" * 48, "class", "app", "test"])
def test_a_good_slug_names_the_project_for_installers_too(bake: Baker, slug: str) -> None:
    project = bake(project_slug=slug)
    name = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["name"]
    assert re.fullmatch("[a-z]([a-z0-9_]*[a-z0-9])?", name)
    assert slug.startswith(name)


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
