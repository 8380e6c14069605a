"""A throwaway built by the revisions is cloned from a template, on the project's own server alone."""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.database_state import add_revision
from support.processes import start_process, wait_until
from support.projects import NO_SERVER, Project, ok, refusal
from support.servers import PostgresServer, running_server

pytestmark = pytest.mark.slow
MARK = "from dbkit.connection.mark import project_mark; print(project_mark())"
KEY = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the project is: the mark holds for one folder."""
    return tmp_path_factory.mktemp("marked") / "project"


def adopt(compiled_project: Path, folder: Path, url: str) -> Project:
    """A project that knows the mark of its server."""
    shutil.rmtree(folder, ignore_errors=True)
    project = Project.adopt(compiled_project, folder, url)
    project.write(".database/mark", "a secret")
    return project


@pytest.fixture(scope="module")
def marked_server(compiled_project: Path, folder: Path) -> Iterator[PostgresServer]:
    """A server with the mark of the project in `folder`, which logs what it executes."""
    mark = ok(adopt(compiled_project, folder, NO_SERVER).python("-c", MARK)).strip()
    with running_server(lambda new: new.settings.update(cluster_name=mark, log_statement="all")) as server:
        server.sql("CREATE ROLE app LOGIN CREATEDB PASSWORD 'app'")
        yield server


@pytest.fixture
def project(compiled_project: Path, folder: Path, marked_server: PostgresServer) -> Iterator[Project]:
    """A project on that server, as its `db-up` makes it: the role is no superuser."""
    name = f"shop_{secrets.token_hex(3)}"
    marked_server.sql(f"CREATE DATABASE {name} OWNER app")
    yield adopt(compiled_project, folder, marked_server.url(name, user="app", password="app"))
    for database in [*databases(marked_server), name]:
        marked_server.sql(f"DROP DATABASE {database} WITH (FORCE)")


def databases(server: PostgresServer, kind: str = "") -> list[str]:
    """The names of throwaway databases and templates, or of one kind."""
    return server.sql(
        f"SELECT datname FROM pg_database WHERE datname ~ '_{kind or '(template|throwaway)'}_'"
    ).split()


def add_step(project: Project, *more: str) -> str:
    """Write a revision that says in the server's log that it runs."""
    name = f"step{len(project.revisions()) + 1:02}"
    return add_revision(project, f"op.execute(\"SELECT 'ran {name}'\")", *more)


def runs(server: PostgresServer, name: str) -> int:
    """How often a revision has run since the server began; `step01` is one of several tests."""
    return server.log.read_text("utf-8").count(f": SELECT 'ran {name}'")


class Counter:
    """How often revisions have run since the last look."""

    def __init__(self, server: PostgresServer, *names: str) -> None:
        self.server, self.names = server, names
        self.before = [runs(server, name) for name in names]

    def look(self) -> list[int]:
        """Count."""
        before, self.before = self.before, [runs(self.server, name) for name in self.names]
        return [now - then for now, then in zip(self.before, before, strict=True)]


def migration(project: Project) -> None:
    """`make migration`, which finds nothing to write."""
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))


def test_what_ran_once_is_not_run_again(project: Project, marked_server: PostgresServer) -> None:
    add_step(project)
    counter = Counter(marked_server, "step01", "step02")
    migration(project)
    assert counter.look() == [1, 0]
    migration(project)
    assert counter.look() == [0, 0]

    assert "2 pending" in refusal(project.make("migration-check"))
    assert counter.look() == [0, 0]

    # The live database stands somewhere else than the newest revision.
    ok(project.make("migrate"))
    add_step(project)
    counter.look()
    for expected in ([0, 1], [0, 0]):
        assert "1 pending" in refusal(project.make("migration-check"))
        assert counter.look() == expected
    migration(project)
    assert counter.look() == [0, 0]
    ok(project.make("migrate-test"))
    assert counter.look() == [2, 2]
    assert len(databases(marked_server, "template")) == 2
    assert databases(marked_server, "throwaway") == []


def test_what_agreed_once_is_not_compared_again(project: Project, marked_server: PostgresServer) -> None:
    def compared() -> bool:
        before = marked_server.log.read_text("utf-8").count("SCHEMA set_aside")
        migration(project)
        return marked_server.log.read_text("utf-8").count("SCHEMA set_aside") > before

    assert [compared(), compared()] == [True, False]
    ok(project.make("migrate"))
    assert "ok: " in ok(project.make("migration-check"))
    add_step(project)
    assert [compared(), compared()] == [True, False]
    ini = project.path / "alembic.ini"
    ini.write_text(ini.read_text("utf-8").replace("leave_alone =", "leave_alone = other_*", 1), "utf-8")
    assert compared()
    project.edit("app/models/user.py", "    email: Mapped", "    nick: Mapped[str | None]\n    email: Mapped")
    assert "add_nick" in ok(project.make("migration", "MSG=add nick"))
    assert [compared(), compared()] == [True, False]
    # A filter of the service's may answer otherwise the next time.
    env = "environment.run(metadata, naming_convention=NAMING_CONVENTION"
    project.edit("alembic/env.py", env, f"{env}, include_name=lambda *_: True")
    assert [compared(), compared()] == [True, True]


def test_each_try_of_a_new_revision_has_a_copy_on_which_nothing_was_tried(
    project: Project, marked_server: PostgresServer
) -> None:
    # What the models cannot say is added to the downgrade after a first try, which lacks it.
    create = 'op.execute("CREATE TABLE gadgets (id integer PRIMARY KEY, note text)")'
    add_step(project, create, 'op.execute("ALTER TABLE gadgets ALTER note SET STORAGE EXTERNAL")')

    def copies() -> int:
        before = marked_server.log.read_text("utf-8").count("CREATE DATABASE")
        ok(project.make("migration", "MSG=drop gadgets"))
        [path] = project.revisions("drop_gadgets")
        assert "SET STORAGE EXTERNAL" in path.read_text("utf-8")
        path.unlink()
        return marked_server.log.read_text("utf-8").count("CREATE DATABASE") - before

    copies()  # and a template
    assert copies() == 2


def test_settings_of_the_database_stay_out_of_the_session_that_is_shared(
    project: Project, marked_server: PostgresServer
) -> None:
    marked_server.sql(f"ALTER DATABASE {project.url.rpartition('/')[2]} SET work_mem = '5MB'")
    ok(project.make("migrate"))
    add_step(project)
    migration(project)
    counter = Counter(marked_server, "step01")
    # It makes a throwaway with these settings first, and then looks for the newest template.
    assert "1 pending" in refusal(project.make("migration-check"))
    assert counter.look() == [0]


def test_an_edited_revision_is_run_again(project: Project, marked_server: PostgresServer) -> None:
    add_step(project)
    add_step(project)
    counter = Counter(marked_server, "step01", "step02")
    migration(project)
    assert counter.look() == [1, 1]
    path = project.revisions()[0]
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))  # as Git may check it out
    migration(project)
    assert counter.look() == [0, 0]
    path.write_text(path.read_text("utf-8") + "\n# edited\n", "utf-8")
    migration(project)
    assert counter.look() == [1, 1]


def test_an_edited_file_of_sql_is_run_again_whatever_it_is_called(
    project: Project, marked_server: PostgresServer
) -> None:
    add_step(project)
    add_step(project, 'op.run_sql_file("rows.txt")')
    counter = Counter(marked_server, "step01", "step02")
    for text in ("SELECT 1", "SELECT 2"):
        project.write("alembic/versions/rows.txt", text)
        migration(project)
    assert counter.look() == [2, 2]


EDITING = """
import asyncio
from pathlib import Path
from dbkit.connection import throwaway_home
from dbkit.environment import load_options
from dbkit.revisions import scripts
from dbkit.throwaways import built_database
async def build():
    async with built_database(throwaway_home(), load_options()):
        pass
path = Path(scripts().get_revision("step01").path)
path.write_text(path.read_text("utf-8").replace("AS old", "AS new"), "utf-8")
asyncio.run(build())
"""


def test_what_is_edited_while_a_command_runs_is_no_template(
    project: Project, marked_server: PostgresServer
) -> None:
    add_step(project, 'op.execute("SELECT 42 AS old")')
    ok(project.python("-c", EDITING))
    assert databases(marked_server) == []
    migration(project)
    assert "SELECT 42 AS new" in marked_server.log.read_text("utf-8")


def test_a_role_that_is_new_decides_for_revisions_that_ask_for_it(
    project: Project, marked_server: PostgresServer
) -> None:
    exists = "EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader')"
    grant = f"IF {exists} THEN GRANT USAGE ON SCHEMA public TO reader"
    add_step(project)
    add_step(project, f'op.execute("DO $$ BEGIN {grant}; END IF; END $$")')
    counter = Counter(marked_server, "step01", "step02")
    migration(project)
    marked_server.sql("CREATE ROLE reader")
    migration(project)
    assert counter.look() == [2, 2]


def append(project: Project, name: str, text: str = "# edited\n") -> None:
    """Add a line to a file of the project."""
    project.write(name, (project.path / name).read_text("utf-8") + text)


@pytest.mark.long
def test_what_else_decides_what_revisions_build(project: Project, marked_server: PostgresServer) -> None:
    add_step(project)
    name = project.url.rpartition("/")[2]
    counter = Counter(marked_server, "step01")
    migration(project)
    assert counter.look() == [1]
    run, tagged = "environment.run(metadata, ", "environment.run(metadata, version_table='other', "
    changes: dict[str, Callable[[], object]] = {
        "what env.py imports": lambda: append(project, "app/naming.py"),
        "an option": lambda: project.edit("alembic/env.py", run, tagged),
        "SQL that revisions may run": lambda: project.write("alembic/versions/first.sql", "SELECT 1"),
        "the kit": lambda: append(project, "dbkit/operations/sql.py"),
        "its SQL": lambda: append(project, "dbkit/schema/queries/types.sql", "-- edited\n"),
        "a setting of the database": lambda: marked_server.sql(
            f"ALTER DATABASE {name} SET \"TimeZone\" = 'Asia/Tokyo'"
        ),
        "a setting of the role": lambda: marked_server.sql("ALTER ROLE app SET DateStyle = 'German'"),
        "another template": lambda: append(project, ".env", "TEST_DATABASE_TEMPLATE=extended\n"),
        "what that one holds": lambda: marked_server.sql("CREATE EXTENSION pageinspect", "extended"),
    }
    marked_server.create_database("extended")
    marked_server.sql("ALTER DATABASE extended IS_TEMPLATE true")
    for what, change in changes.items():
        change()
        migration(project)
        assert counter.look() == [1], what
    project.write("app/models/other.py", '"""A model is none of it."""\n')
    migration(project)
    assert counter.look() == [0]
    marked_server.sql("ALTER ROLE app RESET ALL; ALTER DATABASE extended IS_TEMPLATE false")
    marked_server.sql("DROP DATABASE extended")


CLONE = """
import asyncio
from dbkit.connection import connect, throwaway_home
from dbkit.environment import load_options
from dbkit.throwaways import built_database
async def show():
    async with built_database(throwaway_home(), load_options()) as database, connect(database) as connection:
        for query in (
            "SELECT id FROM seeds",
            "SELECT version_num FROM alembic_version",
            "SELECT current_setting('work_mem')",
            "SELECT count(*) FROM pg_database WHERE datconnlimit = 0",
        ):
            print((await connection.exec_driver_sql(query)).scalar_one())
asyncio.run(show())
"""


@pytest.mark.long
def test_a_clone_has_rows_and_settings(project: Project, marked_server: PostgresServer) -> None:
    name = project.url.rpartition("/")[2]
    marked_server.sql(f"ALTER DATABASE {name} SET work_mem = '7MB'")
    add_step(project, 'op.execute("CREATE TABLE seeds AS SELECT 42 AS id")')
    for _ in range(2):
        assert ok(project.python("-c", CLONE)).split() == ["42", "step01", "7MB", "1"]
    [template] = databases(marked_server, "template")
    assert template.startswith(f"{name}_template_")


def forget_agreement(project: Project) -> None:
    """Let models and revisions be compared once more, which agreed before."""
    (project.path / ".database" / "agreed").unlink(missing_ok=True)


@pytest.mark.long
def test_a_database_that_revisions_give_a_setting_is_not_kept(
    project: Project, marked_server: PostgresServer
) -> None:
    add_step(project)
    alter = "EXECUTE format('ALTER DATABASE %I SET work_mem = 8192', current_database())"
    add_step(project, f'op.execute("DO $$ BEGIN {alter}; END $$")')
    counter = Counter(marked_server, "step01", "step02")
    for _ in range(2):
        forget_agreement(project)
        migration(project)
        assert counter.look() == [1, 1]
    assert databases(marked_server) == []


def test_a_revision_that_depends_on_other_files_is_run_each_time(
    project: Project, marked_server: PostgresServer
) -> None:
    add_step(project)
    add_step(project, "from app.naming import NAMING_CONVENTION", "NAMING_CONVENTION.items()")
    add_step(project)
    counter = Counter(marked_server, "step01", "step02", "step03")
    migration(project)
    assert counter.look() == [1, 1, 1]
    migration(project)
    assert counter.look() == [0, 1, 1]
    assert len(databases(marked_server)) == 1


@pytest.mark.long
def test_a_revision_that_fails_says_the_same_as_without_a_template(
    project: Project, marked_server: PostgresServer
) -> None:
    add_step(project)
    migration(project)
    ok(project.make("migrate"))
    add_revision(project, 'op.execute("CREATE TABLE users ()")')
    commands = (("migration", "MSG=nothing"), ("migration-check",))
    said = [refusal(project.make(*command)) for command in commands]
    assert len(databases(marked_server)) == 1
    (project.path / ".database" / "mark").unlink()
    assert [refusal(project.make(*command)) for command in commands] == said
    assert all('step02.py:13: relation "users" already exists' in line for line in said), said


def test_nothing_is_kept_on_a_server_without_the_mark(
    project: Project, marked_server: PostgresServer
) -> None:
    project.write(".database/mark", "another secret")
    add_step(project)
    counter = Counter(marked_server, "step01")
    ok(project.make("migrate"))
    assert counter.look() == [1]
    for _ in range(2):
        ok(project.make("migration-check"))
        assert counter.look() == [1]
    migration(project)
    assert counter.look() == [1]
    assert databases(marked_server) == []


@pytest.mark.long
def test_whoever_is_killed_leaves_no_half_of_a_template(
    project: Project, marked_server: PostgresServer
) -> None:
    add_step(project)
    add_revision(project, 'op.execute("SELECT pg_sleep(60)")')
    counter = Counter(marked_server, "step01")
    killed = start_process(project, "revision", "--autogenerate", "-m", "killed")
    wait_until(lambda: runs(marked_server, "step01") > counter.before[0])
    killed.kill()
    killed.communicate()
    assert databases(marked_server, "template") == []
    project.revisions()[1].unlink()
    counter.look()
    migration(project)
    assert counter.look() == [1]
    [left] = databases(marked_server, "throwaway")
    assert comment(marked_server, left).startswith("throwaway database, made at ")  # dropped after a day


@pytest.mark.long
def test_several_that_build_the_same_at_once_all_succeed(
    project: Project, marked_server: PostgresServer
) -> None:
    add_step(project, 'op.execute("SELECT pg_sleep(3)")')
    counter = Counter(marked_server, "step01")
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(migration, project) for _ in range(3)]:
            done.result()
    assert counter.look()[0] > 1, "they did not meet"
    assert len(databases(marked_server)) == 1
    migration(project)
    assert counter.look() == [0]


def comment(server: PostgresServer, name: str, text: str = "") -> str:
    """The comment of a database; set, where there is a text."""
    if text:
        server.sql(f"COMMENT ON DATABASE {name} IS '{text}'")
    return server.sql(
        f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'"
    )


@pytest.mark.long
def test_old_templates_are_dropped_in_passing(project: Project, marked_server: PostgresServer) -> None:
    now = int(time.time())
    young = [f"young_template_{number}" for number in range(1, 7)]
    comments = {
        name: f"template of revisions {KEY}, used at {now - 9000 + n}" for n, name in enumerate(young)
    }
    comments["old_template_1"] = f"template of revisions {KEY}, used at {now - 700_000}"
    comments["others_template_1"] = comments["old_template_1"]
    comments["own_template_1"] = "made by hand"
    for name, text in comments.items():
        owner = "postgres" if name.startswith("others") else "app"
        marked_server.sql(f"CREATE DATABASE {name} OWNER {owner} STRATEGY file_copy")
        comment(marked_server, name, text)
    migration(project)
    [made] = [name for name in databases(marked_server) if name.startswith("shop_")]
    assert set(databases(marked_server)) == {"others_template_1", "own_template_1", *young[-4:], made}

    # Each use counts, if an hour has passed.
    key = comment(marked_server, made).split()[3].rstrip(",")
    comment(marked_server, made, f"template of revisions {key}, used at {now - 800_000}")
    migration(project)
    *words, used_at = comment(marked_server, made).split()
    assert f"{key}," in words
    assert int(used_at) >= now


@pytest.mark.long
def test_a_template_that_somebody_is_connected_to_is_done_without(
    project: Project, marked_server: PostgresServer
) -> None:
    add_step(project)
    counter = Counter(marked_server, "step01")
    migration(project)
    [template] = databases(marked_server, "template")
    forget_agreement(project)
    with ThreadPoolExecutor(1) as somebody:
        sleeping = somebody.submit(marked_server.sql, "SELECT pg_sleep(20)", template)
        migration(project)
        assert not sleeping.done()
    assert counter.look() == [2]
