"""Settings come from the environment, then `.env`, are typed, and never show a secret."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from dbkit import settings as kit_settings
from dbkit.errors import SettingsError
from support.processes import LONG
from support.projects import Project, like_others, refusal

SECRET = "s3cr%@:/#?t"
URL = f"postgresql://app:{SECRET}@db.example.com/app"

# Each variable of the contract and its second spelling; a value, and what comes of it.
VARIABLES: dict[tuple[str, ...], tuple[str, Any]] = {
    ("ENVIRONMENT",): ("production", "production"),
    ("DATABASE_URL",): (URL, URL),
    ("MIGRATION_DATABASE_URL",): ("postgresql://direct/app", "postgresql://direct/app"),
    ("TEST_DATABASE_URL",): ("sqlite:///tests.db", "sqlite:///tests.db"),
    ("TEST_DATABASE_TEMPLATE",): ("with_extensions", "with_extensions"),
    ("DATABASE_POOL_SIZE", "DB_POOL_SIZE"): ("7", 7),
    ("DATABASE_MAX_OVERFLOW", "DB_MAX_OVERFLOW"): ("0", 0),
    ("DATABASE_POOL_TIMEOUT", "DB_POOL_TIMEOUT"): ("2.5", 2.5),
    ("DATABASE_REPLICA_URL",): ("postgresql://replica/app", "postgresql://replica/app"),
    ("DATABASE_POOLER",): ("transaction", "transaction"),
    ("DATABASE_STATEMENT_TIMEOUT",): ("0.5", 0.5),
    ("DATABASE_ECHO", "DB_ECHO_SQL"): ("true", True),
    ("MIGRATION_TIMEOUT", "DB_MIGRATION_TIMEOUT"): ("60", 60.0),
    ("MIGRATION_LOCK_TIMEOUT",): ("0.5", 0.5),
    ("MIGRATION_WAIT",): ("0", 0.0),
    ("MIGRATE_ON_START",): ("true", True),
    ("REQUIRE_MIGRATED",): ("yes", True),
    ("LOG_LEVEL",): ("debug", "DEBUG"),
    ("LOG_FORMAT",): ("json", "json"),
    ("DOCS",): ("false", False),
    ("MAX_BODY",): ("2MB", 2_000_000),
}
DEFAULTS = {
    "ENVIRONMENT": "development",
    "MIGRATION_DATABASE_URL": None,
    "TEST_DATABASE_URL": None,
    "TEST_DATABASE_TEMPLATE": "template0",
    "DATABASE_POOL_SIZE": 5,
    "DATABASE_MAX_OVERFLOW": 10,
    "DATABASE_POOL_TIMEOUT": 30.0,
    "DATABASE_REPLICA_URL": None,
    "DATABASE_POOLER": None,
    "DATABASE_STATEMENT_TIMEOUT": 30.0,
    "DATABASE_ECHO": False,
    "MIGRATION_TIMEOUT": 600.0,
    "MIGRATION_LOCK_TIMEOUT": 2.0,
    "MIGRATION_WAIT": 300.0,
    "MIGRATE_ON_START": False,
    "REQUIRE_MIGRATED": False,
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": None,
    "DOCS": None,
    "MAX_BODY": 1_000_000,
}
SPELLINGS = [(names[0], name, *values) for names, values in VARIABLES.items() for name in names]


@pytest.fixture(autouse=True)
def only_the_test_decides(bare_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)


def load_settings() -> Settings:
    return kit_settings.load_settings(Settings)


def value(settings: Settings, variable: str) -> object:
    found = getattr(settings, variable.lower())
    return found.get_secret_value() if hasattr(found, "get_secret_value") else found


def test_the_table_names_every_setting() -> None:
    assert {names[0].lower() for names in VARIABLES} == set(Settings.model_fields)


def test_without_a_variable_its_default_counts() -> None:
    settings = load_settings()
    assert {name: value(settings, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(("variable", "spelling", "text", "expected"), SPELLINGS)
def test_every_variable_is_read_in_every_spelling(
    monkeypatch: pytest.MonkeyPatch, variable: str, spelling: str, text: str, expected: object
) -> None:
    monkeypatch.setenv(spelling, text)
    assert value(load_settings(), variable) == expected
    monkeypatch.delenv(spelling)
    if spelling != "DATABASE_URL":
        monkeypatch.setenv(spelling.lower(), text)
        assert value(load_settings(), variable) == expected


def test_of_both_spellings_in_one_place_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_POOL_SIZE", "3")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "7")
    assert load_settings().database_pool_size == 7


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in VARIABLES:
        if names != ("DATABASE_URL",):
            monkeypatch.setenv(names[-1], "")
    assert {name: value(load_settings(), name) for name in DEFAULTS} == DEFAULTS


BAD = {
    ("ENVIRONMENT", "prod"): "'development', 'test', 'staging' or 'production'",
    ("DATABASE_POOL_SIZE", "many"): "valid integer",
    ("DB_POOL_SIZE", "0"): "greater than or equal to 1",
    ("DB_MAX_OVERFLOW", "-1"): "greater than or equal to 0",
    ("DATABASE_POOL_TIMEOUT", "0"): "greater than 0",
    ("DATABASE_POOL_TIMEOUT", "nan"): "finite",
    ("DB_POOL_TIMEOUT", "inf"): "finite",
    ("DB_ECHO_SQL", "loud"): "valid boolean",
}


@pytest.mark.parametrize(("variable", "text"), BAD, ids=str)
def test_a_bad_value_is_one_line_with_the_variable_and_the_rule(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    said = str(refusal.value)
    assert "\n" not in said
    assert variable in said
    assert next(names[0] for names in VARIABLES if variable in names) in said
    assert BAD[variable, text] in said
    assert text == "0" or text not in said.replace("'production'", "").split()


def test_no_error_shows_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in VARIABLES:
        if not names[0].endswith("_URL"):
            monkeypatch.setenv(names[0], SECRET)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert SECRET not in repr(refusal.value)
    assert refusal.value.__context__ is None  # pydantic's error holds what it was given
    assert str(refusal.value).count(";") == 15


def test_no_secret_in_a_repr_a_str_or_a_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MIGRATION_DATABASE_URL", "TEST_DATABASE_URL"):
        monkeypatch.setenv(name, URL)
    settings = load_settings()
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "s3cr" not in shown
    assert "db.example.com" not in shown


# ---- the project's .env, and commands

PRINT = """
import json
from app.settings import Settings
from dbkit.errors import SettingsError
from dbkit.settings import load_settings
try:
    print(json.dumps({
        name.upper(): value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for name, value in load_settings(Settings)
    }))
except SettingsError as error:
    print(json.dumps(str(error)))
"""


@pytest.fixture
def project(sqlite_project: Project) -> Project:
    """Settings are the same on either database."""
    return sqlite_project


def settings(project: Project, folder: Path | None = None, **variables: str) -> Any:  # noqa: ANN401 - JSON
    """What a new process of the project reads, started in `folder`."""
    variables |= {"PYTHONPATH": str(project.path)}
    result = project.run(sys.executable, "-c", PRINT, folder=folder, variables=variables)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("place", [0, -1], ids=["first", "second"])
def test_env_is_found_from_any_folder_in_every_spelling(project: Project, tmp_path: Path, place: int) -> None:
    lines = [f"{names[place]}={text}" for names, (text, _) in VARIABLES.items()]
    project.write(".env", "\n".join(lines).replace(URL, f"'{URL}'"))
    expected = {names[0]: read for names, (_, read) in VARIABLES.items()}
    (tmp_path / ".env").write_text("DATABASE_POOL_SIZE=99\n")
    for folder in (project.path / "alembic" / "versions", tmp_path):
        assert settings(project, folder) == expected


def test_the_environment_goes_before_env_whatever_the_spellings(project: Project) -> None:
    project.write(
        ".env", "DATABASE_URL=sqlite:///a.db\nDATABASE_POOL_SIZE=3\nDB_MAX_OVERFLOW=4\nDB_ECHO_SQL=1\n"
    )
    read = settings(
        project, DATABASE_URL="sqlite:///b.db", DB_POOL_SIZE="7", DATABASE_MAX_OVERFLOW="8", DB_ECHO_SQL="0"
    )
    assert read["DATABASE_URL"] == "sqlite:///b.db"
    assert (read["DATABASE_POOL_SIZE"], read["DATABASE_MAX_OVERFLOW"]) == (7, 8)
    assert read["DATABASE_ECHO"] is False


def test_a_percent_encoded_dollar_in_env_is_no_variable(project: Project) -> None:
    project.write(".env", "DATABASE_URL=postgresql://app:a%24{HOME}b$HOME@h/d\n")
    assert settings(project)["DATABASE_URL"] == "postgresql://app:a%24{HOME}b$HOME@h/d"


def test_what_a_project_needs_and_lacks_is_named(project: Project) -> None:
    (project.path / ".env").unlink()
    missing = "DATABASE_URL: field required (no .env here: 'make db-up' makes one)"
    assert settings(project) == missing
    project.write(".env", "SOMETHING_ELSE=1\n")
    assert settings(project) == "DATABASE_URL: field required (.env.example lists the settings)"
    project.write(".env", "SOMETHING_ELSE=1\nDATABASE_URL=sqlite://\n")
    assert settings(project)["DATABASE_URL"] == "sqlite://"


@pytest.mark.parametrize("name", ["DATABASE_URL", "database_url"])
def test_an_empty_database_url_of_a_deployment_does_not_lead_to_that_of_env(
    project: Project, name: str
) -> None:
    assert settings(project, None, **{name: ""}) == EMPTY


@pytest.mark.parametrize("why", ["PermissionError", "UnicodeDecodeError"])
def test_an_env_that_cannot_be_read_is_one_line(sqlite_project: Project, why: str) -> None:
    project, user = sqlite_project, []
    env = project.path / ".env"
    if why == "PermissionError":
        user = like_others()
        env.chmod(0)
    else:
        env.write_bytes("DATABASE_URL=sqlite:///größe.db\n".encode("latin-1"))
    # Without root's rights they are real processes, which take ten times as long.
    for command in COMMANDS if LONG or not user else ("check", "upgrade --sql", "run", "db-up"):
        result = project.run(*user, project.interpreter, *COMMANDS[command])
        assert f".env cannot be read: {why}" in refusal(result)
        assert len((result.stdout + result.stderr).splitlines()) == 1


COMMANDS = {
    "check": ["-m", "dbkit", "migration-check"],
    "current": ["-m", "alembic", "current"],
    "upgrade --sql": ["-m", "alembic", "upgrade", "head", "--sql"],
    "run": ["-m", "app"],
    "db-test": ["-m", "dbkit", "db-test"],
    "db-reset": ["-m", "dbkit", "db-reset"],
    "db-shell": ["-m", "dbkit", "db-shell"],
    "db-up": ["-m", "dbkit", "db-up"],
}
EMPTY = "DATABASE_URL is empty in the environment: give it a value, or unset it, and .env counts"
WRONG = {
    "empty": ({"DATABASE_URL": ""}, EMPTY),
    "pool": (
        {"DB_POOL_SIZE": "s3cr3t"},
        "DATABASE_POOL_SIZE or DB_POOL_SIZE: input should be a valid integer",
    ),
    "database": ({"DATABASE_URL": "mysql://app:s3cr3t@h/d"}, "DATABASE_URL: begins with neither"),
    "option": ({"DATABASE_URL": "postgresql://a:s3cr3t@h/d?sslmode=x"}, "DATABASE_URL: sslmode is one of"),
    "migration": ({"MIGRATION_DATABASE_URL": "s3cr3t"}, "MIGRATION_DATABASE_URL: begins with neither"),
}
CASES = [
    *((command, "pool") for command in COMMANDS),
    ("db-up", "empty"),
    *((command, wrong) for command in ("check", "current") for wrong in WRONG if wrong != "pool"),
]


@pytest.mark.parametrize(("command", "wrong"), CASES)
def test_a_command_with_a_bad_setting_prints_one_line(project: Project, command: str, wrong: str) -> None:
    variables, said = WRONG[wrong]
    result = project.python(*COMMANDS[command], **variables)
    output = (result.stdout + result.stderr).strip()
    assert result.returncode != 0
    assert said in output
    assert len(output.splitlines()) == 1, output
    assert "s3cr3t" not in output


def test_the_projects_tests_with_a_bad_setting_say_so_without_a_traceback(project: Project) -> None:
    said = refusal(project.python("-m", "pytest", "-q", "tests/test_models.py", DB_POOL_SIZE="s3cr3t"))
    assert "DATABASE_POOL_SIZE or DB_POOL_SIZE" in said
    assert "s3cr3t" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", EMPTY),
        pytest.param(
            f"mysql://app:{SECRET}@host/app",
            "DATABASE_URL: begins with neither",
            marks=pytest.mark.long,
        ),
        ("sqlite:////no/folder/x.db", "/no/folder/x.db: unable to open database file"),
    ],
)
def test_a_server_that_cannot_start_logs_one_line(sqlite_project: Project, url: str, said: str) -> None:
    """The image's command, which migrates first: what a deployment shows is its log."""
    sqlite_project.write(".env", "")
    variables = {"DATABASE_URL": url, "MIGRATE_ON_START": "true"}
    result = sqlite_project.python("-m", "uvicorn", "app.main:app", "--port=0", **variables)
    assert result.returncode != 0
    printed = (result.stdout + result.stderr).splitlines()
    lines = [line for line in printed if not line.startswith("INFO:") and "[info " not in line]
    assert len(lines) == 2, lines  # the server adds that it exits
    assert said in lines[0]
    assert SECRET not in lines[0]
