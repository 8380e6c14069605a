"""What everybody gets wrong once is answered in one line that says what to do."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.database_state import write_revision
from support.projects import INITIAL, NO_SERVER, PRODUCT, Project, environment, ok, refusal

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (NO_SERVER, "127.0.0.1:1: nothing listens there"),
        ("postgresql://app:hidden@no-such-host.invalid/dev", "host's name is not known"),
        ("sqlite:////no/such/folder/dev.db", "unable to open database file"),
        ("mysql://app:hidden@localhost/dev", "DATABASE_URL"),
        ("postgresql://app:hidden@localhost/dev?fetch_size=1", "fetch_size"),
    ],
)
def test_a_database_out_of_reach_is_one_line(sqlite_project: Project, url: str, said: str) -> None:
    result = sqlite_project.make("migrate", DATABASE_URL=url, MIGRATION_WAIT="0")
    assert said in refusal(result)
    assert "hidden" not in result.stdout + result.stderr


def test_no_command_meets_a_missing_server_with_a_traceback(sqlite_project: Project) -> None:
    for command in (
        "migration MSG=x",
        "migration-current",
        "migration-check",
        "migrate-test",
        "migration-down",
        "migration-stamp REV=head",
    ):
        result = sqlite_project.make(*command.split(), DATABASE_URL=NO_SERVER, MIGRATION_WAIT="0")
        assert "127.0.0.1:1: nothing listens there" in refusal(result)
        assert "hidden" not in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["migration-history", "migration-log"])
def test_a_reader_that_has_read_enough_is_no_traceback(sqlite_project: Project, command: str) -> None:
    ok(sqlite_project.make("migrate"))
    pipe = '{ "$@"; echo "status $?" >&2; } | true'
    result = sqlite_project.run("sh", "-c", pipe, "sh", sys.executable, "-m", "dbkit", command)
    assert re.fullmatch(r"status [01]\n", result.stderr)  # Alembic's own commands overlook it


def test_a_wrong_password_and_an_unknown_database_are_one_line(postgresql_project: Project) -> None:
    project = postgresql_project
    server, _, _ = project.url.rpartition("/")
    wrong = re.sub(r"://([^:]+):[^@]+@", r"://\1:not-it@", project.url)
    result = project.make("migrate", DATABASE_URL=wrong)
    assert "refused the password" in refusal(result)
    assert "not-it" not in result.stdout + result.stderr
    assert "no such database" in refusal(project.make("migrate", DATABASE_URL=f"{server}/nowhere"))


@pytest.mark.first_on("sqlite")
def test_a_revision_that_nobody_knows_is_one_line(project: Project) -> None:
    ok(project.make("migrate"))
    for target in ("migrate", "migration-down", "migration-stamp"):
        assert "'nope'; 'make migration-history'" in refusal(project.make(target, "REV=nope"))
    assert project.version() == [INITIAL]


@pytest.mark.first_on("sqlite")
def test_a_database_that_is_ahead_of_the_code_is_one_line_and_stays_as_it_is(project: Project) -> None:
    ok(project.make("migrate"))
    project.sql("UPDATE alembic_version SET version_num = 'fedcba987654'")
    for target in ("migrate", "migration-down", "migration-current"):
        assert "fedcba987654" in refusal(project.make(target))
    stamp = refusal(project.make("migration-stamp", "REV=head"))
    assert "If its file is lost for good: alembic stamp --purge <revision>" in stamp
    assert project.version() == ["fedcba987654"]


def test_a_step_down_from_a_merge_asks_which_way(sqlite_project: Project) -> None:
    project = sqlite_project
    ok(project.make("migration-empty", "MSG=one"))
    ok(project.alembic("revision", "-m", "two", "--head", INITIAL, "--splice"))
    ok(project.make("migration-merge"))
    ok(project.make("migrate"))
    assert "REV=<revision>" in refusal(project.make("migration-down"))
    ok(project.make("migration-down", f"REV={INITIAL}"))
    assert project.version() == [INITIAL]


def test_sql_that_cannot_be_written_leaves_nothing_on_stdout(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("app/models/product.py", PRODUCT)
    ok(project.make("migration", "MSG=add products"))
    project.edit("app/models/product.py", "String(80)", "String(90)")
    ok(project.make("migration", "MSG=longer names"))
    for revision in ("", "REV=nope", "REV=-1", "REV=nope:base", "REV=head:head:head"):
        result = project.make("migration-sql", *filter(None, [revision]))
        assert "FAILED" in refusal(result)
        assert result.stdout == ""
    # Plain Alembic prints its line on stdout, which is the file of SQL.
    for begin in (INITIAL, "nope"):
        result = project.alembic("upgrade", f"{begin}:head", "--sql")
        assert result.stderr.splitlines()[-1].startswith("FAILED: ")
        assert (result.returncode, result.stdout) == (255, "")


def test_what_a_revision_prints_is_no_sql(sqlite_project: Project) -> None:
    write_revision(sqlite_project, "loud", 'print("hello")')
    for result in (sqlite_project.alembic("upgrade", "head", "--sql"), sqlite_project.make("migration-sql")):
        assert "loud" in ok(result)
        assert ("hello" in result.stdout, "hello" in result.stderr) == (False, True)
    full = sqlite_project.run("sh", "-c", "make --old-file=.venv/.installed migration-sql > /dev/full")
    assert "the SQL cannot be written: No space left" in refusal(full)


def fill(project: Project, slug: str, *statements: str) -> None:
    """Write a revision whose upgrade consists of these statements."""
    ok(project.alembic("revision", "-m", slug))
    path = str(project.revisions(slug)[0].relative_to(project.path))
    lines = "\n    ".join(statements)
    project.edit(path, "def upgrade() -> None:\n    pass", f"def upgrade() -> None:\n    {lines}")


@pytest.mark.first_on("postgresql")
def test_whatever_a_revision_trips_over_is_named_with_its_line(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "migrator" / "app"  # names of the project's own folders
    elsewhere.parent.mkdir()
    project.path = project.path.rename(elsewhere)
    fill(project, "seed", 'open("seed.csv")')
    line = refusal(project.make("migrate"))
    assert re.search(r"_seed\.py:\d+: FileNotFoundError: .*seed\.csv", line)
    assert "server" not in line
    assert "users" in project.tables() or project.dialect == "sqlite"


@pytest.mark.first_on("sqlite")
def test_a_revision_whose_file_is_missing_or_broken_is_one_line(project: Project) -> None:
    ok(project.make("migrate"))
    commands = (
        "migrate",
        "migration-check",
        f"migration-sql REV={INITIAL}:head",
        "migration-show REV=head",
        "migrate-test",
        "migration MSG=x",
    )
    file = write_revision(project, "child", after="nowhere")
    for command in commands:
        result = project.make(*command.split())
        assert "a revision comes after nowhere, whose file is not there" in refusal(result)
        assert "Warning" not in result.stderr  # of Alembic's own, with a path of the library
    file.write_text("x = (\n", "utf-8")
    for command in commands:
        line = refusal(project.make(*command.split()))
        assert "alembic/versions/20260102_0000_child.py:1: SyntaxError" in line, command
    file.write_text("raise SystemExit\n", "utf-8")
    assert "20260102_0000_child.py:1: sys.exit() ends no migration" in refusal(project.make("migrate"))
    assert "20260102_0000_child.py:1: SystemExit" in refusal(project.make("migration-check"))


def test_what_an_autocommit_block_did_is_not_said_to_be_undone(postgresql_project: Project) -> None:
    project = postgresql_project
    block = "with op.get_context().autocommit_block():"
    fill(
        project,
        "half",
        block,
        '    op.execute("CREATE TABLE left_behind (id INTEGER)")',
        '    op.execute("SELEC 1")',
    )
    assert "what its autocommit_block has done stays" in refusal(project.make("migrate"))
    assert "left_behind" in project.tables()


def test_a_mistake_in_a_model_is_named_with_its_line(sqlite_project: Project) -> None:
    sqlite_project.write("app/models/bad.py", "x = (\n")
    for command in ("migration-check", "migrate-test", "migration MSG=x"):
        assert "app/models/bad.py:1: SyntaxError" in refusal(sqlite_project.make(*command.split()))
    sqlite_project.write("app/models/bad.py", "raise SystemExit\n")
    assert "app/models/bad.py:1: SystemExit" in refusal(sqlite_project.make("migration", "MSG=x"))


ORDER = f"""\
{PRODUCT}
from sqlalchemy import ForeignKey
from sqlalchemy.orm import relationship

from app.models.user import User


class Order(BaseModel):
    product_id: Mapped[str] = mapped_column(ForeignKey("products.id"))
    product: Mapped[Product] = relationship()
"""
MODELS_THAT_DO_NOT_FIT = {
    "app/models/my-gadget.py": (PRODUCT, "my-gadget.py has a name that Python cannot import: rename it"),
    "app/models/my shop/product.py": (PRODUCT, "app/models/my shop/product.py has a name"),
    "app/models/order.py": (
        ORDER.replace("relationship()", 'relationship(back_populates="ordrs")'),
        "app/models/order.py: class Order: InvalidRequestError: Mapper 'Mapper[Product(products)]' has no "
        "property 'ordrs'",
    ),
    "app/models/shop/order.py": (
        ORDER.replace("[Product] =", '["Prodct"] ='),
        "app/models/shop/order.py: class Order: InvalidRequestError: When initializing",
    ),
    "app/models/vendor.py": (
        PRODUCT.replace("    name:", '    __tablename__ = "users"\n    name:', 1),
        "app/models/vendor.py:11: InvalidRequestError: Table 'users' is already defined",
    ),
}


def test_models_that_do_not_fit_are_named(sqlite_project: Project) -> None:
    """What would fail at the first query, or be no model without a word."""
    project = sqlite_project
    for name, (text, said) in MODELS_THAT_DO_NOT_FIT.items():
        file = project.write(name, text)
        assert said in refusal(project.make("migration-check"))
        file.unlink()
    # A package is a module, too; what an editor leaves is none.
    project.write("app/models/shop/__init__.py", PRODUCT)
    project.write("app/models/.#product.py", "x = (\n")
    assert "added table 'products'" in ok(project.make("migration", "MSG=add products"))


@pytest.mark.first_on("sqlite")
def test_revisions_run_whatever_is_wrong_with_a_model(project: Project) -> None:
    project.write("app/models/bad.py", "x = (\n")
    for target in ("migrate", "migration-history", "migration-current", "migration-down", "db-up"):
        if target != "db-up" or project.dialect == "sqlite":
            ok(project.make(target))


def test_a_reset_that_could_not_migrate_afterwards_drops_nothing(project: Project) -> None:
    ok(project.make("migrate"))
    confirm = "CONFIRM=" + ("dev.db" if project.dialect == "sqlite" else project.url.rpartition("/")[2])
    project.write("alembic/versions/20260102_0000_bad.py", "x = (\n")
    assert "20260102_0000_bad.py:1: SyntaxError" in refusal(project.make("db-reset", confirm))
    assert "users" in project.tables()


def test_a_database_in_memory_is_not_migrated(sqlite_project: Project) -> None:
    assert "in memory" in refusal(sqlite_project.make("migrate", DATABASE_URL="sqlite://"))


@pytest.mark.first_on("sqlite")
def test_the_gate_lets_a_database_pass_that_is_ahead_and_none_that_nobody_knows(project: Project) -> None:
    newer = write_revision(project, "newer")
    ok(project.make("migrate"))
    newer.unlink()
    assert "the database is ahead of this code: newer ran on" in ok(project.make("migration-check"))
    current = project.alembic("current")
    assert "the database is ahead of this code: newer ran on" in ok(current)
    assert current.stdout == "newer\n"
    assert "not on all head revisions" in refusal(project.alembic("current", "--check-heads"))
    project.sql("UPDATE alembic_version SET version_num = 'fedcba987654'")
    assert "fedcba987654, which neither this code nor its history knows" in refusal(
        project.make("migration-check")
    )


def test_a_command_that_is_told_to_end_leaves_no_throwaway_database(postgresql_project: Project) -> None:
    project = postgresql_project
    fill(project, "slow", 'op.execute("SELECT pg_sleep(20)")')
    running = subprocess.Popen(
        [sys.executable, "-m", "alembic", "revision", "--autogenerate", "-m", "x"],
        cwd=project.path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    name = project.url.rpartition("/")[2]
    throwaways = f"SELECT count(*) FROM pg_database WHERE datname LIKE '{name}_throwaway%'"
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)'"
    deadline = time.monotonic() + 30
    while project.sql(asleep) == [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert project.sql(throwaways) == [(1,)]
    running.terminate()
    out, err = running.communicate(timeout=30)
    assert running.returncode != 0
    assert "interrupted" in out
    assert "Traceback" not in out + err
    assert project.sql(throwaways) == [(0,)]


@pytest.mark.parametrize("command", ["db-test", "db-reset"])
def test_a_command_that_is_interrupted_is_one_line(sqlite_project: Project, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://app:hidden@127.0.0.1:{silent.getsockname()[1]}/dev"
        running = subprocess.Popen(
            [sys.executable, "-m", "dbkit", command],
            cwd=sqlite_project.path,
            env=environment(DATABASE_URL=url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(8)  # asyncio's own end of connecting is not always quiet
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=30)
    assert "Traceback" not in err
    assert "interrupted; run it again\n" in err
    assert (running.returncode, out) == (1, "")
