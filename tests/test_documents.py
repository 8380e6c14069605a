"""What the documents say is there, and what they tell people to type works as it is written."""

import ast
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from baking import CHECKOUT, Baker
from projects import INITIAL, Project, environment, ok, refusal, remove_data_elsewhere
from servers import free_port

PROJECT = CHECKOUT / "{{cookiecutter.project_slug}}"
DOCUMENTS = {
    "README.md": CHECKOUT / "README.md",
    "the project's README.md": PROJECT / "README.md",
    "the guide": PROJECT / "alembic" / "README.md",
    "what guards": PROJECT / "alembic" / "guards.md",
}
GUIDES = [document for document in DOCUMENTS.values() if document.parent.name == "alembic"]
slow = pytest.mark.slow
every_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)

# What of the guides is typed by which test. The READMEs are typed word by word, at the end of this module.
DAILY, TYPED, HERE = "test_daily_loop.py::test_", "test_typed_commands.py::test_", "test_documents.py::test_"
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
    TYPED + "a_dump_holds_everything_and_can_be_restored": [
        'pg_dump --format=custom --file=before.dump "${DATABASE_URL/+asyncpg/}"',
    ],
    TYPED + "information_says_what_is_in_the_files_and_in_the_database": ["alembic current"],
    TYPED + "the_check_before_a_deployment_works_as_it_is_written_elsewhere": [
        "alembic current --check-heads",
    ],
    TYPED + "the_sql_of_an_upgrade_is_a_file_to_apply_by_hand": [
        'psql --set=ON_ERROR_STOP=1 --file=upgrade.sql "${DATABASE_URL/+asyncpg/}"',
    ],
    TYPED + "a_branch_begins_at_a_revision_and_has_a_label": [
        'alembic revision -m "feature branch" --head=5f3a9c1e7b24 --splice --branch-label=feature',
        "alembic upgrade feature@head",
    ],
    TYPED + "the_environment_says_which_database_and_env_is_left_alone": [
        'export ENVIRONMENT=staging DATABASE_URL="postgresql://app:secret@pooler:6432/app?sslmode=require"',
    ],
    TYPED + "migrations_take_the_road_past_the_pooler": [
        'export MIGRATION_DATABASE_URL="postgresql://owner:secret@server:5432/app?sslmode=require"',
    ],
    HERE + "the_sql_that_the_guide_writes_takes_a_database_there_and_back": [
        "alembic upgrade 5f3a9c1e7b24:head --sql > pending.sql",
        "make migration-sql REV=5f3a9c1e7b24:head > upgrade.sql",
        "make migration-sql REV=head:base > downgrade.sql",
    ],
    "test_migration_log.py::test_every_way_and_every_outcome_is_told": [
        "make migration-log",
        "make migration-log JSON=1",
    ],
    "test_health_live.py::test_a_migrated_database_is_well": [
        "curl --fail http://127.0.0.1:8000/health/detailed",
    ],
}
# No engine answers where these tests run: what is in Dockerfile and compose.yaml is tested without one.
NOT_RUN = re.compile(r"docker (build|run) ")


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(
        rf"^ *```{language}\n(.*?)^ *```$", document.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


def commands(document: Path) -> list[str]:
    """Each line to type, without the remark behind it."""
    lines = "".join(blocks(document, "bash")).splitlines()
    return [re.sub(r"\s+# .*", "", line) for line in lines if line.strip()]


def targets(makefile: Path) -> dict[str, str]:
    """The targets of a Makefile that its help lists, with what it says of them."""
    rows = re.findall(r"^([a-z][a-z -]*):.*?## (.*)$", makefile.read_text("utf-8"), re.MULTILINE)
    return {name: words for names, words in rows for name in names.split()}


def existing_tests() -> set[str]:
    """Every test of this folder, as `file::name`."""
    return {
        f"{path.name}::{node.name}"
        for path in Path(__file__).parent.glob("test_*.py")
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
    assert len(named) > 4
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


def test_the_second_command_of_the_readme_is_make_test() -> None:
    assert commands(DOCUMENTS["README.md"])[1] == "make test"


def test_the_readme_of_a_project_names_every_setting() -> None:
    source = (PROJECT / "app" / "settings.py").read_text("utf-8")
    fields = re.findall(
        r"^    ([a-z_]+): ", source.partition("class Settings(")[2].partition("\ndef ")[0], re.M
    )
    second = re.findall(r'either\(\s*"[A-Z_]+",\s*"([A-Z_]+)"', source)
    readme = DOCUMENTS["the project's README.md"].read_text("utf-8")
    table = re.findall(r"^\| (`[A-Z_]+`.*?) \|", readme, re.MULTILINE)
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(table))) == {*map(str.upper, fields), *second}
    assert len(second) == 5


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
    with (Path(__file__).parent / "typed_commands.toml").open("rb") as file:
        table = tomllib.load(file)
    named = {entry["test"] for entry in table["command"] if "test" in entry} | TYPED_BY.keys()
    assert named - existing_tests() == set()
    for entry in table["command"]:
        assert entry.keys() <= {"typed", "by", "test", "later", "instead"}
        assert ("later" in entry) != ("test" in entry or "instead" in entry), entry
        assert set(map(str, entry["by"])) <= table["projects"].keys()
    typed = [command for entry in table["command"] for command in entry["typed"]]
    assert len(typed) == len(set(typed)) > 100


@pytest.fixture
def desk() -> Iterator[Path]:
    """A folder that the unprivileged user of root's PostgreSQL can enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="desk-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class Terminal:
    """Bash in a folder, in which what a document says is typed; what it starts ends with it."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder, self.port, self.template = folder, free_port(), template
        baker = Baker(template, folder)
        self.environment = environment(
            PATH=os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]]),
            PORT=str(self.port),  # of `make run`: this machine's 8000 may be somebody else's
            COOKIECUTTER_CONFIG=baker.environment["COOKIECUTTER_CONFIG"],
            GIT_CONFIG_GLOBAL=os.devnull,
        )
        self.started: list[subprocess.Popen[bytes]] = []

    def type(self, line: str, keys: str = "\n" * 9) -> str:
        """Type a line, and `keys` at what it asks; return what it printed."""
        line = line.replace("gh:org/service-template", str(self.template)).replace(":8000", f":{self.port}")
        if line.startswith("cd "):
            self.folder = self.folder / line.removeprefix("cd ")
            return ""
        if line.startswith("make run"):
            self.started.append(
                subprocess.Popen(
                    ["bash", "-c", line.removesuffix(" &")],
                    cwd=self.folder,
                    env=self.environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
            return ""
        # People need a moment to change windows; a server, to start.
        line = re.sub(r"^curl", "curl --silent --retry 60 --retry-delay 1 --retry-connrefused", line)
        result = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            input=keys,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
        return ok(result)

    def close(self) -> None:
        """End what still runs."""
        for process in self.started:
            # make hands it on. The whole group would get it twice, and Uvicorn's reloader can hang
            # for ever on a second signal while it handles the first.
            process.terminate()
            process.wait(30)
        if (self.folder / "Makefile").exists():
            self.type("make db-down")
            remove_data_elsewhere(self.folder)


@pytest.fixture
def terminal(desk: Path, template: Path) -> Iterator[Terminal]:
    terminal = Terminal(desk, template)
    yield terminal
    terminal.close()


@pytest.mark.long
@slow
def test_a_new_project_does_what_the_readme_shows(terminal: Terminal) -> None:
    [transcript] = blocks(DOCUMENTS["README.md"], "console")
    for part in re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        printed = terminal.type(line)
        for expected in filter(None, shown.splitlines()):
            if "answers on" in expected:  # which PostgreSQL it is, and which port is free, is the machine's
                expected, printed = (
                    re.sub(r"PostgreSQL \d.*?, answers on 127\.0\.0\.1:\d+", "PostgreSQL", text)
                    for text in (expected, printed)
                )
            assert expected in printed.splitlines() or "Fetching" in expected, printed


@slow
def test_a_project_is_baked_and_compared_with_a_newer_template_as_the_readme_says(terminal: Terminal) -> None:
    bake, _, replay, compare = commands(DOCUMENTS["README.md"])
    terminal.type(bake)
    project = terminal.folder / "my_service"
    (project / "Makefile").write_text("changed\n")
    terminal.type(replay)
    with pytest.raises(AssertionError, match="Makefile"):  # to find a difference is a failure to diff
        terminal.type(compare)


@pytest.mark.long
@slow
def test_a_new_project_does_what_its_readme_says(terminal: Terminal) -> None:
    terminal.type(commands(DOCUMENTS["README.md"])[0])
    terminal.type("cd my_service")
    terminal.type("make dev-install")
    readme = terminal.folder / "README.md"
    for line in commands(readme):
        if NOT_RUN.match(line):
            continue
        printed = terminal.type(line, keys="p@ss word/%\n")
        if line.startswith("curl"):
            assert '"up_to_date":true' in printed
        if "pytest" in line or line == "make test":
            assert re.search(r"\d+ passed", printed)
        if line.startswith("python3"):
            assert "p%40ss%20word%2F%25" in printed


@slow
def test_the_models_of_the_readme_become_tables(project: Project) -> None:
    product, association = blocks(DOCUMENTS["the project's README.md"], "python")
    project.write("app/models/product.py", product)
    tag = re.sub(r"class Product\(BaseModel\):.*", "class Tag(BaseModel):", product)
    project.write("app/models/tag.py", tag)
    project.write("app/models/product_tag.py", association)
    ok(project.make("migration", "MSG=add products"))
    ok(project.make("migrate"))
    assert {"products", "tags", "product_tags"} < project.tables()
    ok(project.make("migration-check"))


def put(project: Project, message: str, body: str) -> None:
    """An empty revision with the guide's functions in the place of its own."""
    ok(project.alembic("revision", "-m", message))
    [revision] = project.revisions(f"_{message}.py")
    head = revision.read_text("utf-8").partition("\n\ndef upgrade")[0]
    imports, _, functions = body.partition("def upgrade")
    head = head.replace("import sqlalchemy as sa", f"{imports.strip()}\nimport sqlalchemy as sa")
    revision.write_text(f"{head}\n\ndef upgrade{functions}", "utf-8")


@slow
def test_every_revision_about_tables_in_use_runs_up_down_and_up(postgresql_project: Project) -> None:
    project = postgresql_project
    page = PROJECT / "alembic" / "online.md"
    texts = [text for text in blocks(page, "python") if "def upgrade" in text]
    ok(project.alembic("upgrade", "head"))
    project.sql("ALTER TABLE users ADD COLUMN country VARCHAR(2)")
    some = f"('{'0' * 31}1', 'a', 'A'), ('{'0' * 31}2', 'b', 'B')"
    project.sql(f"INSERT INTO users (id, email, name) VALUES {some}")
    for number, text in enumerate(texts):
        put(project, f"step{number}", text)
    for command in ("upgrade head", f"downgrade {INITIAL}", "upgrade head"):
        ok(project.alembic(*command.split()))
    assert project.sql("SELECT count(DISTINCT token), min(country) FROM users") == [(2, "DE")]


@slow
def test_every_revision_of_the_guide_runs_up_down_and_up(project: Project) -> None:
    texts = [text for text in blocks(DOCUMENTS["the guide"], "python") if "def upgrade" in text]
    order = ("op.backfill", "set_not_null_online", "func.lower", "postgresql_concurrently")
    chosen = [text for mark in order for text in texts if mark in text]
    assert sorted(chosen) == sorted(texts)
    if project.dialect == "sqlite":
        del chosen[1]  # the way back alters a column, which takes a batch there

    column = "    country: Mapped[str | None] = mapped_column(String(2))\n"
    project.edit("app/models/user.py", "    name:", f"{column}    name:")
    ok(project.make("migration", "MSG=add country to users"))
    ok(project.make("migrate"))
    identifiers = "lower(hex(randomblob(16)))" if project.dialect == "sqlite" else "gen_random_uuid()"
    project.sql(  # more than two batches
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2345)"
        f" INSERT INTO users (id, email, name) SELECT {identifiers}, 'A' || i || '@Example.com', 'A' FROM n"
    )
    for number, text in enumerate(chosen):
        put(project, f"step{number}", text)
        for command in ("upgrade head", "downgrade -1", "upgrade head"):
            ok(project.alembic(*command.split()))

    assert project.sql("SELECT count(*), min(country), max(country) FROM users") == [(2345, "DE", "DE")]
    assert project.sql("SELECT count(*) FROM users WHERE email <> lower(email)") == [(0,)]
    if project.dialect == "postgresql":
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_users_name'::regclass"
        assert project.sql(valid) == [(True,)]
        with pytest.raises(Exception, match="null value"):
            project.sql("UPDATE users SET country = NULL")
        assert (
            project.sql(
                "SELECT conname FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'c'"
            )
            == []
        )
    else:
        assert project.sql("SELECT name FROM sqlite_master WHERE name = 'ix_users_name'")


@slow
def test_a_column_hidden_as_the_guide_says_is_still_that_of_the_revisions(sqlite_project: Project) -> None:
    project = sqlite_project
    [block] = [text for text in blocks(DOCUMENTS["the guide"], "python") if "exclude_properties" in text]
    _, hide, column = block.rstrip().splitlines()
    project.edit("app/models/user.py", "    name:", f"{column}\n    name:")
    ok(project.make("migration", "MSG=add nickname"))
    ok(project.make("migrate"))
    project.edit("app/models/user.py", "    # Lists active", f"{hide}\n    # Lists active")
    ok(project.make("migration-check"))
    statement = "from app.models.user import User; from sqlalchemy import select; print(select(User))"
    assert "nickname" not in ok(project.python("-c", statement))

    text = (project.path / "app/models/user.py").read_text("utf-8")
    project.write("app/models/user.py", text.replace(f"{hide}\n", "").replace(f"{column}\n", ""))
    ok(project.make("migration", "MSG=drop nickname of users"))
    ok(project.make("migrate"))
    assert "nickname" not in project.sql("SELECT sql FROM sqlite_master WHERE name = 'users'")[0][0]


@slow
def test_the_queries_of_the_guide_find_what_they_look_for(postgresql_project: Project) -> None:
    ok(postgresql_project.make("migrate"))
    [text] = blocks(DOCUMENTS["the guide"], "sql")
    version, activity, invalid, connections = text.split(";\n")[:4]
    assert postgresql_project.sql(version) == [(INITIAL,)]
    assert all(len(row) == 5 for row in postgresql_project.sql(activity))
    assert postgresql_project.sql(invalid) == []
    assert postgresql_project.sql(connections)[0][0] >= 1


@slow
def test_the_sql_that_the_guide_writes_takes_a_database_there_and_back(postgresql_project: Project) -> None:
    project = postgresql_project
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    ok(project.alembic("upgrade", INITIAL))

    def run(sql: str) -> None:
        for statement in re.sub(r"--.*", "", sql).split(";"):
            if statement.strip():
                project.sql(statement)

    run(project.alembic("upgrade", f"{INITIAL}:head", "--sql").stdout)
    assert "products" in project.tables()
    ok(project.alembic("current", "--check-heads"))
    run(project.make("migration-sql", "REV=head:base").stdout)
    assert project.tables() & {"users", "products"} == set()


@slow
def test_every_message_of_the_troubleshooting_is_printed_like_that(postgresql_project: Project) -> None:
    project = postgresql_project
    said = refusal(project.alembic("check"))
    said += refusal(project.make("migration"))
    said += ok(project.make("migration", "MSG=nothing"))
    said += refusal(project.make("migrate", "REV=abc"))
    ok(project.make("migrate"))
    said += refusal(project.make("migrate", "REV=+1"))
    project.sql("UPDATE alembic_version SET version_num = '0123456789ab'")
    said += refusal(project.make("migration-down")) + refusal(project.make("migrate"))
    project.sql("DELETE FROM alembic_version")
    said += refusal(project.make("migrate"))
    server, _, name = project.url.rpartition("/")
    for url in (
        f"postgresql://app:wrong@127.0.0.1:{free_port()}/{name}",
        f"{project.url.replace('@', 'x@')}",
        f"{server}/nowhere",
        f"{project.url}?sslmode=require",
    ):
        said += refusal(project.make("migrate", DATABASE_URL=url))
    ok(project.make("migration-stamp", "REV=head"))
    ok(project.alembic("revision", "-m", "left"))
    ok(project.alembic("revision", "-m", "right", "--head", INITIAL, "--splice"))
    said += refusal(project.make("migrate"))
    ok(project.make("migration-merge"))
    ok(project.make("migrate"))
    said += refusal(project.make("migration-down"))

    said = re.sub("0123456789ab", "…", said)
    said = re.sub(r"several heads \(.*?\)", "several heads (…)", said)
    table = DOCUMENTS["the guide"].read_text("utf-8").partition("## Troubleshooting")[2]
    messages = re.findall(r"^\| `(.*?)`", table, re.MULTILINE)
    assert len(messages) > 10
    assert [message for message in messages if message.removesuffix(" …") not in said] == []
    shown = DOCUMENTS["the guide"].read_text("utf-8")
    assert "No changes: the models and the revisions agree." in shown
    assert "No changes: the models and the revisions agree." in said
