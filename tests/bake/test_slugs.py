"""A slug is derived from any name; any slug that is not one is refused."""

import re
import tomllib

import pytest

from local_extensions import service_slug
from support.baking import Baker


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
