"""What the migrations guide shows works: its revisions, its queries, its SQL, its messages."""

import re

import pytest

from support.database_state import add_revision, forget_columns, restricted, write_revision
from support.documents import DOCUMENTS, blocks
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer, free_port
from support.unproved import (
    drop_what_a_view_has,
    drop_what_is_published,
    forget_gadgets,
    partition,
    partition_and_add,
    use_what_is_not_there,
)

pytestmark = [pytest.mark.slow, pytest.mark.first_on("postgresql")]


def put(project: Project, message: str, body: str) -> None:
    """An empty revision with the guide's functions in the place of its own."""
    ok(project.alembic("revision", "-m", message))
    [revision] = project.revisions(f"_{message}.py")
    head = revision.read_text("utf-8").partition("\n\ndef upgrade")[0]
    imports, _, functions = body.partition("def upgrade")
    head = head.replace("import sqlalchemy as sa", f"{imports.strip()}\nimport sqlalchemy as sa")
    revision.write_text(f"{head}\n\ndef upgrade{functions}", "utf-8")


def test_every_revision_about_tables_in_use_runs_up_down_and_up(postgresql_project: Project) -> None:
    project = postgresql_project
    texts = [text for text in blocks(DOCUMENTS["tables in use"], "python") if "def upgrade" in text]
    ok(project.alembic("upgrade", "head"))
    project.sql("ALTER TABLE users ADD COLUMN country VARCHAR(2)")
    some = f"('{'0' * 31}1', 'a', 'A'), ('{'0' * 31}2', 'b', 'B')"
    project.sql(f"INSERT INTO users (id, email, name) VALUES {some}")
    for number, text in enumerate(texts):
        put(project, f"step{number}", text)
    for command in ("upgrade head", f"downgrade {INITIAL}", "upgrade head"):
        ok(project.alembic(*command.split()))
    assert project.sql("SELECT count(DISTINCT token), min(country) FROM users") == [(2, "DE")]


def test_every_revision_of_the_guide_runs_up_down_and_up(project: Project) -> None:
    texts = [text for text in blocks(DOCUMENTS["the guide"], "python") if "def upgrade" in text]
    texts = [text for text in texts if "GRANT" not in text]  # which has a test of its own
    order = ("op.backfill", "set_not_null_online", "func.lower", "op.run_sql_file", "postgresql_concurrently")
    chosen = [text for mark in order for text in texts if mark in text]
    assert sorted(chosen) == sorted(texts)
    if project.dialect == "sqlite":
        del chosen[1]  # the downgrade alters a column, which takes a batch there

    column = "    country: Mapped[str | None] = mapped_column(String(2))\n"
    project.edit("app/models/user.py", "    name:", f"{column}    name:")
    ok(project.make("migration", "MSG=add country to users"))
    ok(project.make("migrate"))
    identifiers = "lower(hex(randomblob(16)))" if project.dialect == "sqlite" else "gen_random_uuid()"
    project.sql(  # more than two batches
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2345)"
        f" INSERT INTO users (id, email, name) SELECT {identifiers}, 'A' || i || '@Example.com', 'A' FROM n"
    )
    [script] = [text for text in blocks(DOCUMENTS["the guide"], "sql") if "CREATE VIEW" in text]
    project.write("alembic/versions/20261120_1346_active_users.sql", script)
    for number, text in enumerate(chosen):
        put(project, f"step{number}", text)
        for command in ("upgrade head", "downgrade -1", "upgrade head"):
            ok(project.alembic(*command.split()))
        if "op.run_sql_file" in text:
            assert project.sql("SELECT count(*) FROM active_users") == [(2345,)]
            ok(project.alembic("downgrade", "-1"))  # its index has the name of another example's
            project.revisions(f"_step{number}.py")[0].unlink()

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


@pytest.mark.long
def test_every_option_of_the_guide_can_be_pasted_into_env(postgresql_project: Project) -> None:
    project = postgresql_project
    section = DOCUMENTS["the guide"].read_text("utf-8").partition("## Options of your own")[2]
    texts = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    own = (project.path / "alembic" / "env.py").read_text("utf-8")
    head, _, run = own.partition("environment.run(")
    ok(project.make("migrate"))
    for statement in (
        "CREATE TABLE legacy_orders (id INTEGER)",
        "CREATE INDEX dba_names ON users (name)",
        "ALTER TABLE users ALTER COLUMN is_active SET DEFAULT false, ALTER COLUMN name TYPE TEXT",
    ):
        project.sql(statement)

    def check(text: str) -> str:
        imports, _, rest = text.rpartition("\n\n\ndef ")
        rest = f"def {rest}" if imports else rest
        project.write(
            "alembic/env.py", head.replace("from sqlalchemy", f"{imports}\nfrom sqlalchemy", 1) + rest
        )
        result = project.alembic("check")
        return result.stdout + result.stderr

    # What each function leaves alone, in the words of `alembic check` without it.
    left_alone = {
        "compare_type=": "'users.name'",
        "compare_server_default=": "'users.is_active'",
        "include_object=": "'dba_names'",
        "include_name=": "'legacy_orders'",
    }
    everything = check(f"environment.run({run}")
    for option, words in left_alone.items():
        [text] = [text for text in texts if f" {option}" in text]
        printed = check(text)
        assert [each for each in left_alone.values() if each in everything and each not in printed] == [words]

    version_table, apply = [text for text in texts if not any(option in text for option in left_alone)]
    check(apply)
    assert "5f3a9c1e7b24 by announce" in ok(project.make("migrate-test"))
    check(version_table)
    project.sql("DROP TABLE users, legacy_orders, alembic_version, alembic_history")
    ok(project.make("migrate"))
    assert project.tables() == {"users", "schema_versions"}
    assert "5f3a9c1e7b24 (head)" in ok(project.make("migration-current"))
    ok(project.make("migration-check"))
    ok(project.python("-m", "pytest", "-q", "tests/test_database_migrations.py"))


def test_a_column_hidden_as_the_guide_says_is_still_that_of_the_revisions(sqlite_project: Project) -> None:
    project = sqlite_project
    [block] = [text for text in blocks(DOCUMENTS["the guide"], "python") if "exclude_properties" in text]
    _, column, hide = block.rstrip().splitlines()
    path = project.path / "app/models/user.py"
    original = path.read_text("utf-8")
    project.edit("app/models/user.py", "    name:", f"{column}\n    name:")
    ok(project.make("migration", "MSG=add nickname"))
    ok(project.make("migrate"))
    path.write_text(f"{path.read_text('utf-8')}{hide}\n", "utf-8")
    ok(project.make("migration-check"))
    statement = "from app.models.user import User; from sqlalchemy import select; print(select(User))"
    assert "nickname" not in ok(project.python("-c", statement))

    path.write_text(original, "utf-8")
    ok(project.make("migration", "MSG=drop nickname of users"))
    ok(project.make("migrate"))
    assert "nickname" not in project.sql("SELECT sql FROM sqlite_master WHERE name = 'users'")[0][0]


def test_the_queries_of_the_guide_find_what_they_look_for(postgresql_project: Project) -> None:
    ok(postgresql_project.make("migrate"))
    [*_, text] = blocks(DOCUMENTS["the guide"], "sql")
    version, activity, invalid, connections = text.split(";\n")[:4]
    assert postgresql_project.sql(version) == [(INITIAL,)]
    assert all(len(row) == 5 for row in postgresql_project.sql(activity))
    assert postgresql_project.sql(invalid) == []
    assert postgresql_project.sql(connections)[0][0] >= 1


def test_the_grants_of_the_guide_are_those_that_two_users_need(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project, owner_url = postgresql_project, postgresql_project.url
    name = owner_url.rpartition("/")[2]
    texts = [text.replace("service", name) for text in blocks(DOCUMENTS["the guide"], "sql")]
    fresh, existing = [text for text in texts if "GRANT" in text]
    create_app, _, grants = fresh.partition("\n")
    # One user for both, so far.
    postgres_server.sql(f"{create_app} ALTER DATABASE {name} OWNER TO {name}_app", name)
    postgres_server.sql(f"ALTER ROLE {name}_app PASSWORD 'app'")
    app = postgres_server.url(name, user=f"{name}_app", password="app")
    project.write(".env", f"DATABASE_URL={app}\n")
    ok(project.make("migrate"))

    postgres_server.sql(grants + existing, name)
    postgres_server.sql(f"ALTER ROLE {name}_owner PASSWORD 'owner'")
    owner = postgres_server.url(name, user=f"{name}_owner", password="owner")
    both = f"DATABASE_URL={app}\nMIGRATION_DATABASE_URL={owner}\n"
    postgres_server.sql(f"ALTER ROLE {name}_owner CREATEDB")
    project.write(".env", both)
    ok(project.make("migration-check"))
    project.write(".env", f"DATABASE_URL={app}\n")
    [text] = [text for text in blocks(DOCUMENTS["the guide"], "python") if "GRANT" in text]
    add_revision(project, 'op.create_table("books", sa.Column("id", sa.BigInteger, primary_key=True))')
    put(project, "rights", text.replace("service", name))
    line = refusal(project.make("migrate"))  # by the wrong user
    assert "('Two users' in alembic/README.md has the grants)" in line
    project.write(".env", both)
    for command in ("migrate", "migration-down", "migrate"):
        ok(project.make(command))
    status = (
        "import asyncio; from dbkit.startup import read_status; print(asyncio.run(read_status()).pending)"
    )
    assert ok(project.python("-c", status)) == "0\n"

    project.url = app
    project.sql("INSERT INTO books DEFAULT VALUES")
    project.sql("DELETE FROM users")
    for forbidden in ("ALTER TABLE books ADD x int", "DELETE FROM alembic_version", "TABLE alembic_history"):
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            project.sql(forbidden)


def test_write_ahead_logging_stays_with_a_file_on_which_it_was_switched_on(sqlite_project: Project) -> None:
    [[mode]] = sqlite_project.sql("PRAGMA journal_mode = WAL")
    ok(sqlite_project.make("migrate"))
    assert sqlite_project.sql("PRAGMA journal_mode") == [(mode,)] == [("wal",)]


def test_a_changed_type_fails_one_request_or_none_with_a_setting(postgresql_project: Project) -> None:
    ok(postgresql_project.make("migrate"))
    script = """
import asyncio
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from app.database import get_engine
from app.models.user import User

async def failures():
    engine = get_engine()
    one, other = await engine.connect(), await engine.connect()
    for connection in (one, other):
        await connection.execute(select(User))
        await connection.commit()
    await one.execute(text("ALTER TABLE users ALTER name TYPE text"))
    await one.commit()
    failed = 0
    for connection in (one, other, one, other):
        try:
            await connection.execute(select(User))
        except DBAPIError as error:
            assert "cached statement plan is invalid" in str(error)
            failed += 1
        await connection.rollback()
    await one.close()
    await other.close()
    await engine.dispose()
    return failed

print(asyncio.run(failures()))
"""
    assert ok(postgresql_project.python("-c", script)) == "1\n"
    postgresql_project.sql("ALTER TABLE users ALTER name TYPE varchar(200)")
    uncached = f"{postgresql_project.url}?prepared_statement_cache_size=0"
    assert ok(postgresql_project.python("-c", script, DATABASE_URL=uncached)) == "0\n"


def test_the_sql_that_the_guide_writes_takes_a_database_there_and_back(postgresql_project: Project) -> None:
    project = postgresql_project
    project.add_product()
    ok(project.make("migration", "MSG=add products"))
    ok(project.alembic("upgrade", INITIAL))

    project.script(project.alembic("upgrade", f"{INITIAL}:head", "--sql").stdout)
    assert "products" in project.tables()
    ok(project.alembic("current", "--check-heads"))
    project.script(project.make("migration-sql", "REV=head:base").stdout)
    assert project.tables() & {"users", "products"} == set()


def messages_about_changes_by_hand(project: Project) -> str:
    """What is said of them, on the table of an older kit and afterwards."""
    forget_columns(project)
    project.sql("CREATE INDEX broken ON users (name)")
    project.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass")
    said = project.make("migration-check").stdout
    project.sql("DROP INDEX broken")
    add_revision(project, "pass")
    said += ok(project.make("migrate", DATABASE_URL=restricted(project)))
    ok(project.make("migration-down"))
    project.sql("CREATE TABLE scratch (id integer)")
    said += ok(project.make("migrate"))
    project.sql("DROP TABLE scratch")
    ok(project.make("migration-down"))
    project.revisions()[-1].unlink()
    return said


def messages_about_what_is_proved(project: Project) -> str:
    """What is said of a revision that is not right."""
    said = ""
    for change in (
        drop_what_a_view_has,
        drop_what_is_published,
        partition,
        partition_and_add,
        use_what_is_not_there,
    ):
        change(project)
        written = project.make("migration", "MSG=wrong")
        said += written.stdout + refusal(written)
        forget_gadgets(project)
    return said


@pytest.mark.long
def test_every_message_of_the_troubleshooting_is_printed_like_that(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    said = refusal(project.alembic("check"))
    said += refusal(project.make("migration"))
    said += ok(project.make("migration", "MSG=nothing"))
    said += refusal(project.make("migrate", "REV=abc"))
    ok(project.make("migrate"))
    said += refusal(project.make("migrate", "REV=+1"))
    said += messages_about_changes_by_hand(project)
    said += messages_about_what_is_proved(project)
    for statement in (
        "CREATE INDEX CONCURRENTLY mine ON users (name)",
        "COMMIT",
        "SELECT 1; SELECT 2",
        "SELECT version()::integer",
    ):
        add_revision(project, f'op.execute("{statement}")')
        said += refusal(project.make("migrate"))
        project.revisions()[-1].unlink()
    project.sql("UPDATE alembic_version SET version_num = '0123456789ab'")
    said += refusal(project.make("migration-down")) + refusal(project.make("migrate"))
    project.sql("DELETE FROM alembic_version")
    said += refusal(project.make("migrate"))
    address, _, name = project.url.rpartition("/")
    for url in (
        f"postgresql://app:wrong@127.0.0.1:{free_port()}/{name}",
        f"{project.url.replace('@', 'x@')}",
        f"{address}/nowhere",
        f"{project.url}?sslmode=require",
    ):
        project.write(".env", f"DATABASE_URL={url}\nMIGRATION_WAIT=0\n")
        said += refusal(project.make("migrate"))
    postgres_server.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'plain'")
    project.write(".env", f"DATABASE_URL={postgres_server.url(name, user=name, password='plain')}\n")
    said += refusal(project.make("migrate-test"))
    project.write(".env", f"DATABASE_URL={project.url}\n")
    ok(project.make("migration-stamp", "REV=head"))
    ok(project.alembic("revision", "-m", "left"))
    ok(project.alembic("revision", "-m", "right", "--head", INITIAL, "--splice"))
    said += refusal(project.make("migrate"))
    ok(project.make("migration-merge"))
    ok(project.make("migrate"))
    said += refusal(project.make("migration-down"))

    # A role with the rights of the owner, which may create neither databases nor extensions.
    server, owner = postgres_server, postgres_server.superuser
    server.sql(f"CREATE ROLE plain LOGIN PASSWORD 'plain' IN ROLE {owner}")
    project.write(".env", f"DATABASE_URL={server.url(name, user='plain', password='plain')}\n")
    said += refusal(project.make("migrate-test"))
    [head] = project.version()
    write_revision(project, "extension", 'op.execute("CREATE EXTENSION pageinspect")', after=head)
    said += refusal(project.make("migrate"))
    server.sql("DROP OWNED BY plain; DROP ROLE plain", name)

    table = DOCUMENTS["the guide"].read_text("utf-8").partition("## Troubleshooting")[2]
    messages = re.findall(r"^\| `(.*?)`", table, re.MULTILINE)
    assert len(messages) > 10
    patterns = {message: ".*".join(map(re.escape, message.split("…"))) for message in messages}
    assert [message for message, pattern in patterns.items() if not re.search(pattern, said)] == []
    shown = DOCUMENTS["the guide"].read_text("utf-8")
    assert "No changes: the models and the revisions agree." in shown
    assert "No changes: the models and the revisions agree." in said
