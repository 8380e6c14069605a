"""What the documents say is there, and a test types what they tell people to type."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from support.baking import CHECKOUT
from support.documents import DOCUMENTS, PROJECT, commands

TESTS = CHECKOUT / "tests"
GUIDES = [document for document in DOCUMENTS.values() if document.parent.name == "alembic"]
every_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)

# What of the guides is typed by which test. The READMEs are typed word by word, in test_readmes.py.
DAILY = "test_daily_loop.py::test_"
TYPED = "test_typed_commands.py::test_"
BRANCHES = "test_typed_branches.py::test_"
DATABASES = "test_typed_databases.py::test_"
GUIDE = "test_guides.py::test_"
TYPED_BY = {
    "test_db_server.py::test_the_projects_make_targets_do_all_this": ["make db-up"],
    DAILY + "the_loop_from_a_changed_model_to_a_reset_database": ["make migrate", "make migration-down"],
    DAILY + "a_step_up_and_a_step_down_to_a_named_revision": [
        "make migrate REV=5f3a9c1e7b24",
        "make migrate REV=+1",
        "make migration-down REV=base",
    ],
    DAILY + "the_sql_of_all_revisions_builds_the_same_database": ["make migration-sql > all.sql"],
    DAILY + "two_heads_are_named_refused_and_joined": ["make migration-merge"],
    DAILY + "the_gate_lets_labelled_heads_pass": ["alembic upgrade heads"],
    DAILY + "stamping_records_a_revision_without_running_it": ["make migration-stamp REV=5f3a9c1e7b24"],
    TYPED + "a_new_column_of_a_model_becomes_one_of_the_database": [
        'make migration MSG="add phone to users"',
    ],
    TYPED + "upgrades_and_downgrades_go_where_they_are_told": [
        "alembic upgrade head",
        "make migration-down REV=5f3a9c1e7b24",
    ],
    DATABASES + "a_dump_holds_everything_and_can_be_restored": [
        "python -m dbkit db-client pg_dump --format=custom --file=before.dump",
        "python -m dbkit db-client pg_restore --clean --if-exists before.dump",
    ],
    TYPED + "information_says_what_is_in_the_files_and_in_the_database": ["alembic current"],
    TYPED + "the_check_before_a_deployment_works_as_it_is_written_elsewhere": [
        "alembic current --check-heads",
    ],
    DATABASES + "the_sql_of_an_upgrade_is_a_file_to_apply_by_hand": [
        "python -m dbkit db-client psql --set=ON_ERROR_STOP=1 --file=upgrade.sql",
    ],
    BRANCHES + "a_branch_begins_at_a_revision_and_has_a_label": [
        'alembic revision -m "feature branch" --head=5f3a9c1e7b24 --splice --branch-label=feature',
        "alembic upgrade feature@head",
    ],
    DATABASES + "the_environment_says_which_database_and_env_is_left_alone": [
        'export ENVIRONMENT=staging DATABASE_URL="postgresql://app:secret@pooler:6432/app?sslmode=require"',
    ],
    DATABASES + "migrations_take_the_road_past_the_pooler": [
        'export MIGRATION_DATABASE_URL="postgresql://owner:secret@server:5432/app?sslmode=require"',
    ],
    GUIDE + "the_sql_that_the_guide_writes_takes_a_database_there_and_back": [
        "alembic upgrade 5f3a9c1e7b24:head --sql > pending.sql",
        "make migration-sql REV=5f3a9c1e7b24:head > upgrade.sql",
        "make migration-sql REV=head:base > downgrade.sql",
    ],
    "test_migration_log.py::test_every_way_and_every_outcome_is_told": [
        "make migration-log",
        "make migration-log JSON=1",
    ],
    "test_report.py::test_the_page_tells_what_ran_what_failed_and_what_is_left": ["make migration-report"],
    "test_adoption.py::test_an_sqlite_database_is_adopted": ["make migration-baseline"],
    "test_adoption.py::test_the_guides_command_writes_models_of_all_tables": [
        'uvx --with "psycopg[binary]" sqlacodegen --noviews --outfile app/models/shop.py'
        " postgresql+psycopg://owner@server:5432/shop",
    ],
    "test_health_live.py::test_a_migrated_database_is_well": [
        "curl --fail http://127.0.0.1:8000/health/detailed",
    ],
}


def targets(makefile: Path) -> dict[str, str]:
    """The targets of a Makefile that its help lists, with what it says of them."""
    rows = re.findall(r"^([a-z][a-z -]*):.*?## (.*)$", makefile.read_text("utf-8"), re.MULTILINE)
    return {name: words for names, words in rows for name in names.split()}


def existing_tests() -> set[str]:
    """Every test of the template, as `file::name`."""
    return {
        f"{path.name}::{node.name}"
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@every_document
def test_every_make_target_in_a_document_exists(document: Path) -> None:
    known = set(targets(PROJECT / "Makefile"))
    if document == DOCUMENTS["README.md"]:
        known |= set(targets(CHECKOUT / "Makefile"))
    text = document.read_text("utf-8")
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", text))
    assert len(named) > 2
    assert named - known == set()


def test_the_readmes_list_the_targets_in_the_words_of_help() -> None:
    rows = re.findall(
        r"^\| (`make .*?`) \| (.*) \|$", DOCUMENTS["the project's README.md"].read_text("utf-8"), re.M
    )
    listed = {
        name: words.replace("\\|", "|") for names, words in rows for name in re.findall("make (.*?)`", names)
    }
    assert listed == targets(PROJECT / "Makefile")
    readme = DOCUMENTS["README.md"].read_text("utf-8")
    assert set(re.findall(r"^\| `make (\w+)`", readme, re.M)) == set(targets(CHECKOUT / "Makefile"))


def test_the_readme_begins_with_the_two_commands_of_a_fresh_machine() -> None:
    readme = DOCUMENTS["README.md"]
    assert commands(readme)[:2] == ["make bake", "make test"]
    # What they print in the end, where nothing failed.
    for source, words in (
        (CHECKOUT / "Makefile", "build/my_service is baked and migrated."),
        (CHECKOUT / "hooks" / "post_gen_project.py", "is ready."),
    ):
        assert words in source.read_text("utf-8")
        assert f'{words}"' in readme.read_text("utf-8").partition("## ")[0]


def test_both_readmes_say_how_the_shipped_pre_commit_is_turned_on() -> None:
    assert (PROJECT / ".pre-commit-config.yaml").exists()
    for name in ("README.md", "the project's README.md"):
        assert "`uvx pre-commit install`" in DOCUMENTS[name].read_text("utf-8")


def test_the_readme_of_a_project_names_every_setting() -> None:
    source = (PROJECT / "dbkit" / "settings.py").read_text("utf-8")
    body = source.partition("class DatabaseSettings(")[2].partition("\nAnySettings")[0]
    own = "".join((PROJECT / "app" / name).read_text("utf-8") for name in ("settings.py", "redis.py"))
    fields = re.findall(r"^    ([a-z_]+): ", body + own, re.MULTILINE)
    second = re.findall(r'either\(\s*"[A-Z_]+",\s*"([A-Z_]+)"', source)
    readme = DOCUMENTS["the project's README.md"].read_text("utf-8")
    table = re.findall(r"^\| (`[A-Z_]+`.*?) \|", readme, re.MULTILINE)
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(table))) == {*map(str.upper, fields), *second}
    assert len(second) == 5


def test_the_readme_of_a_project_says_why_it_needs_each_dependency() -> None:
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    lists = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    needed = re.findall(r'^    "([\w-]+)', "".join(lists), re.MULTILINE)
    assert len(needed) > 15
    why = DOCUMENTS["the project's README.md"].read_text("utf-8").partition("Why each dependency:")[2]
    assert set(needed) <= {name.lower() for name in re.findall(r"\*\*(.*?)\*\*", why)}


@every_document
def test_every_link_inside_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)(.*?)\)", document.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, target


def test_every_command_of_the_guides_is_typed_by_a_test() -> None:
    tested = [command for listed in TYPED_BY.values() for command in listed]
    written = {command for guide in GUIDES for command in commands(guide)}
    assert sorted(written) == sorted(tested)


def test_every_test_that_a_table_names_exists() -> None:
    with (TESTS / "commands" / "typed_commands.toml").open("rb") as file:
        table = tomllib.load(file)
    named = {entry["test"] for entry in table["command"] if "test" in entry} | TYPED_BY.keys()
    assert named - existing_tests() == set()
    for entry in table["command"]:
        assert entry.keys() <= {"typed", "by", "test", "later", "instead"}
        assert ("later" in entry) != ("test" in entry or "instead" in entry), entry
        assert set(map(str, entry["by"])) <= table["projects"].keys()
    typed = [command for entry in table["command"] for command in entry["typed"]]
    assert len(typed) == len(set(typed)) > 100
