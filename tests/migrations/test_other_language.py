"""A server that speaks German: what it says decides nothing, its error codes do."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.database_state import add_revision, failures
from support.processes import Session, start, succeeded, wait_until
from support.projects import Project, ok, refusal
from support.servers import PostgresServer, running_server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("german")]  # one server for all of them
LOCALE = "de_DE.UTF-8"


@pytest.fixture(scope="session")
def german_server() -> Iterator[PostgresServer]:
    """A server with a locale that is made for it, since few machines have one."""
    with tempfile.TemporaryDirectory(prefix="locale-") as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o755)
        command = ["localedef", "-i", "de_DE", "-f", "UTF-8", f"{folder}/{LOCALE}"]
        try:
            subprocess.run(command, capture_output=True)
        except OSError:
            pytest.skip("no localedef on this machine")
        if not Path(folder, LOCALE, "LC_MESSAGES").is_dir():
            pytest.skip("no sources of locales on this machine (Debian's package locales)")
        patch.setenv("LOCPATH", folder)
        with running_server() as server:
            server.sql(f"ALTER SYSTEM SET lc_messages = '{LOCALE}'")
            server.restart()
            psql: list[str | Path] = [server.programs / "psql", "-X", "-d", server.url(), "-c", "SELECT 1/0"]
            if "durch Null" not in subprocess.run(psql, capture_output=True, encoding="utf-8").stderr:
                pytest.skip("this PostgreSQL speaks English only")
            yield server


@pytest.fixture
def project(compiled_project: Path, tmp_path: Path, german_server: PostgresServer) -> Project:
    """A project on that server."""
    return Project.adopt(compiled_project, tmp_path / "project", german_server.create_database())


def test_an_empty_database_is_migrated_and_passes_the_gate(project: Project) -> None:
    assert "pending" in refusal(project.make("migration-check"))
    ok(project.make("migrate"))
    assert "ok: models and revisions agree" in ok(project.make("migration-check"))


def test_a_table_that_is_held_is_waited_for_and_the_revision_tried_again(project: Project) -> None:
    ok(project.make("migrate"))
    add_revision(project, 'op.execute("ALTER TABLE users ADD note text")')
    with Session(project) as holder:
        holder.run("BEGIN", "LOCK TABLE users")
        process = start(project, "upgrade", "head", MIGRATION_LOCK_TIMEOUT="0.3")
        for _ in range(2):  # who looks at the schema has given up, and then the first attempt
            wait_until(holder.somebody_waits)
            wait_until(lambda: not holder.somebody_waits())
        holder.run("COMMIT")
    said = succeeded(process)
    assert "waited for a lock and was rolled back" in said
    assert "try 2 follows" in said


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("SELECT pg_sleep(30)", r"\(MIGRATION_TIMEOUT is 0\.5 s\)"),
        ("VACUUM users", r"\(put it in 'with op\.get_context\(\)\.autocommit_block\(\):'\)"),
    ],
    ids=["too long", "not in a transaction"],
)
def test_a_statement_that_fails_gets_the_same_advice(project: Project, statement: str, advice: str) -> None:
    ok(project.make("migrate"))
    add_revision(project, f'op.execute("{statement}")')
    line = refusal(project.make("migrate", MIGRATION_TIMEOUT="0.5"))
    assert re.search(advice, line), line
    assert re.search(r"storniere|Transaktionsblock", line), line


def test_no_row_is_shown_and_advice_is_the_same(project: Project) -> None:
    ok(project.make("migrate"))
    project.sql("INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), 'x@private.example', '12 a')")
    lines = failures(
        project,
        {
            "row": 'op.execute("UPDATE users SET name = NULL")',
            "unique": 'op.execute("INSERT INTO users (id, email, name) SELECT gen_random_uuid(), email, name'
            ' FROM users")',
            "type": 'op.execute("ALTER TABLE users ALTER name TYPE integer USING name::integer")',
            "there": 'op.create_table("users", sa.Column("id", sa.Integer))',
        },
    )
    assert re.search(r"doppelter Schlüsselwert .*uq_users_email.; this revision", lines["unique"])
    assert "(22P02; the server's log has the value)" in lines["type"]
    assert re.search(r"existiert bereits \(if .*: make migration-stamp REV=there\)", lines["there"])
    assert not re.search(r"private|12 a", "".join(lines.values()))


def test_a_wrong_password_and_an_unknown_database_are_told_as_elsewhere(project: Project) -> None:
    server, _, _ = project.url.rpartition("/")
    wrong = re.sub(r"://([^:]+):[^@]+@", r"://\1:not-it@", project.url)
    assert "refused the password" in refusal(project.make("migrate", DATABASE_URL=wrong))
    assert "no such database" in refusal(project.make("migrate", DATABASE_URL=f"{server}/nowhere"))


def test_a_role_without_the_right_to_temporary_tables_sees_what_a_check_says(
    project: Project, german_server: PostgresServer
) -> None:
    ok(project.make("migrate"))
    name = project.url.rpartition("/")[2]
    german_server.sql("CREATE ROLE plain LOGIN PASSWORD 'plain' CREATEDB")
    german_server.sql(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    german_server.sql("ALTER TABLE users ADD CONSTRAINT ck_users_named CHECK (name <> '')", name)
    german_server.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain", name)
    project.edit(
        "app/models/user.py",
        '__table_args__ = (Index(None, "is_active", "created_at"),)',
        '__table_args__ = (Index(None, "is_active", "created_at"), '
        'CheckConstraint("name <> \'x\'", name="named"))',
    )
    project.edit("app/models/user.py", "import Index,", "import CheckConstraint, Index,")
    assert "ck_users_named" in refusal(project.alembic("check"))
    project.write(".env", f"DATABASE_URL={german_server.url(name, user='plain', password='plain')}\n")
    assert "ck_users_named" in refusal(project.alembic("check"))
