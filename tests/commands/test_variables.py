"""What is typed is data: it arrives as typed and runs nothing, in make, the shell, and Python."""

import ast
from pathlib import Path

import pytest

from support.projects import Project, ok, refusal

pytestmark = pytest.mark.slow

MESSAGES = {
    "quotes": """say "hello" and 'bye'""",
    "command": "$(touch x)",
    "make function": "$(shell touch x)",
    "backticks": "`touch x`",
    "variable": "$HOME ${PATH} $MSG $(MSG)",
    "dollars": "$$ costs $5 or $(5",
    "second command": "; touch x",
    "and more": "a && touch x | tee x > x",
    "backslashes": r"C:\Users\new \x41 \N{BULLET} ends with \ ",
    "end of a docstring": '"""; import os; os.mkdir("x") #',
    "leading quote": '"quoted"',
    "leading dash": "-m",
    "option": "--sql",
    "emoji": "🚀 lift off é",
    "right to left": "\u202eabc\u202c שלום",
    "comment": "a # b % c %(here)s {{ d }} ${e}",
    "mako": "<% import os %> ${1/0} % for",
    "equals": "A=b c",
    "two lines": "first\nsecond",
}

IN_THE_ENVIRONMENT_TOO = ("make function", "variable", "backslashes", "option", "two lines")


def message_of(revision: Path) -> str:
    docstring = ast.get_docstring(ast.parse(revision.read_text("utf-8")), clean=False)
    assert docstring is not None
    return docstring.partition("\n\nRevision ID:")[0]


def nothing_ran(project: Project) -> bool:
    return not any(path.name == "x" for path in project.path.rglob("x"))


@pytest.mark.parametrize(
    ("message", "way"),
    [
        pytest.param(
            message,
            way,
            id=f"{name}-{way}",
            marks=pytest.mark.long if way == "environment" and name not in IN_THE_ENVIRONMENT_TOO else (),
        )
        for way in ("argument", "environment")
        for name, message in MESSAGES.items()
    ],
)
def test_a_message_arrives_as_typed_and_runs_nothing(sqlite_project: Project, message: str, way: str) -> None:
    if way == "argument":
        ok(sqlite_project.make("migration-empty", f"MSG={message}"))
    else:
        ok(sqlite_project.make("migration-empty", MSG=message))
    [revision] = sqlite_project.revisions()
    # A docstring begins and ends without white space once it is formatted.
    assert message_of(revision).split() == message.split()
    assert nothing_ran(sqlite_project)


@pytest.mark.parametrize("message", ["$(shell touch x)", '"""; touch x #'])
def test_plain_alembic_is_as_careful(sqlite_project: Project, message: str) -> None:
    ok(sqlite_project.alembic("revision", "-m", message))
    assert message_of(sqlite_project.revisions()[0]) == message
    assert message in ok(sqlite_project.alembic("history"))
    assert nothing_ran(sqlite_project)


ALL_AT_ONCE = """$(touch x) $(shell touch x) `touch x` ; touch x "; touch x; " '; touch x; '"""


@pytest.mark.parametrize(
    ("target", "value"),
    [
        *(("migrate", value) for value in ("$(shell touch x)", "`touch x`", "; touch x", "-x", "'", '"')),
        *((target, ALL_AT_ONCE) for target in ("migration-down", "migration-show", "migration-stamp")),
        *(("migration-sql", value) for value in (ALL_AT_ONCE, f"a:{ALL_AT_ONCE}", "-x")),
    ],
)
def test_a_revision_that_is_none_is_refused_and_runs_nothing(
    sqlite_project: Project, target: str, value: str
) -> None:
    assert refusal(sqlite_project.make(target, f"REV={value}"))
    assert nothing_ran(sqlite_project)


@pytest.mark.parametrize(
    ("target", "message"),
    [("migration", ""), ("migration", "!!!"), ("migration-empty", "   "), ("migration-empty", "___ 🚀")],
)
def test_a_message_without_a_letter_or_digit_is_refused(
    sqlite_project: Project, target: str, message: str
) -> None:
    line = refusal(sqlite_project.make(target, f"MSG={message}"))
    assert "letter or digit" in line
    assert "MSG=" in line
    assert sqlite_project.revisions() == []


def test_a_missing_message_is_refused(sqlite_project: Project) -> None:
    for line in (
        refusal(sqlite_project.make("migration")),
        refusal(sqlite_project.make("migrate-create")),
        refusal(sqlite_project.alembic("revision")),
        refusal(sqlite_project.alembic("revision", "-m", "!!!")),
    ):
        assert "letter or digit" in line


def test_a_confirmation_and_a_server_are_data_too(sqlite_project: Project) -> None:
    assert refusal(sqlite_project.make("db-reset", "CONFIRM=$(shell touch x)", ENVIRONMENT="production"))
    sqlite_project.make("db-up", "DB_SERVER=$(shell touch x)")
    sqlite_project.make("run", "PORT=$(shell touch x)")
    url = "sqlite:///$(shell touch x)$HOME.db"
    ok(sqlite_project.make("migrate", f"DATABASE_URL={url}"))
    assert (sqlite_project.path / url.removeprefix("sqlite:///")).is_file()
    assert nothing_ran(sqlite_project)
