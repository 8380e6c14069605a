"""What `alembic/env.py` and revisions may do beyond the usual."""

import ast
from dataclasses import replace

import pytest

from support.database_state import add_revision, dump
from support.projects import INITIAL, Project, ok, refusal
from support.servers import PostgresServer

pytestmark = pytest.mark.slow

AT_A_START = "import asyncio; from dbkit.startup import migrate_if_needed; asyncio.run(migrate_if_needed())"
IN_A_LOOP = """
import asyncio
from alembic import command
from dbkit.config import alembic_config

async def main():
    command.upgrade(alembic_config(), "head")

asyncio.run(main())
"""
IN_A_ROW = """
import asyncio
from dbkit.startup import migrate_if_needed, read_status

async def main():
    statuses = [await migrate_if_needed() for _ in range(2)]
    print([status.pending for status in (*statuses, await read_status())])

asyncio.run(main())
"""


@pytest.mark.first_on("sqlite")
@pytest.mark.parametrize("script", ["", AT_A_START, IN_A_LOOP], ids=["typed", "at a start", "in a loop"])
def test_a_revision_may_ask_alembics_context_itself(project: Project, script: str) -> None:
    add_revision(
        project,
        "from alembic import context",
        "assert context.get_context() is op.get_context()",
        "assert context.get_bind() is op.get_bind()",
        "assert not context.is_offline_mode()",
        'assert context.config.get_main_option("script_location")',
        'context.execute("CREATE TABLE asked (id INTEGER)")',
    )
    ok(project.python("-c", script) if script else project.alembic("upgrade", "head"))
    assert "asked" in project.tables()


def test_a_block_of_the_context_that_a_revision_asks_for_is_guarded_too(postgresql_project: Project) -> None:
    project = postgresql_project
    ok(project.alembic("upgrade", "head"))
    add_revision(
        project,
        "from alembic import context",
        'context.execute("CREATE TABLE half (id INTEGER)")',
        "block = context.get_context().autocommit_block",
        "with block():",
        '    context.execute("CREATE TABLE other (id INTEGER)")',
    )
    assert "statements in the transaction, and then a commit" in refusal(project.alembic("upgrade", "head"))
    assert not {"half", "other"} & project.tables()


# What somebody may write in env.py, and what `make migration-check` says to it.
MISTAKES = {
    "nothing": ("", "alembic/env.py does not call environment.run, so nothing was done"),
    "misspelled": (
        "environment.run(metadata, compare_typ=False)",
        "environment.run has no keyword compare_typ; is it compare_type?",
    ),
    "as_sql": ("environment.run(metadata, as_sql=True)", "environment.run decides about as_sql by itself"),
    "connection": ("environment.run(metadata, connection=None)", "decides about connection by itself"),
    "metadata": (
        "from app.models.base import Base\nenvironment.run(Base.metadata)",
        "environment.run takes a function that returns the models' metadata",
    ),
    "no metadata": (
        "environment.run(lambda: None)",
        "alembic/env.py: the function for environment.run returns no MetaData",
    ),
    "own function": (
        "def own(*_arguments):\n    return 1 / 0\n\n\nenvironment.run(metadata, include_object=own)",
        "alembic/env.py:21: ZeroDivisionError: division by zero",
    ),
}


@pytest.mark.parametrize(("code", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_env_py_is_one_line(sqlite_project: Project, code: str, said: str) -> None:
    project = sqlite_project
    project.edit("alembic/env.py", "environment.run(metadata, naming_convention=NAMING_CONVENTION)", code)
    assert said in refusal(project.make("migration-check"))
    assert project.tables() == set()


def test_env_py_that_calls_nothing_is_noticed_by_what_it_leaves_undone(sqlite_project: Project) -> None:
    project = sqlite_project
    project.write("alembic/env.py", "")
    for target in ("migrate", "migration-down", "migration-current"):
        assert "does not call environment.run" in refusal(project.make(target))


@pytest.mark.parametrize("name", ["upgrade", "downgrade"])
def test_a_revision_without_one_of_its_functions_is_one_line(sqlite_project: Project, name: str) -> None:
    project = sqlite_project
    add_revision(project)
    path = project.revisions()[-1]
    path.write_text(path.read_text("utf-8").replace(f"def {name}", "def other"), "utf-8")
    line = refusal(project.make("migrate-test"))
    assert f"_step01.py has no function {name}(); nothing was changed" in line


@pytest.mark.first_on("sqlite")
def test_the_version_table_may_have_another_name(project: Project) -> None:
    project.edit(
        "alembic/env.py", "environment.run(metadata, ", 'environment.run(metadata, version_table="v", '
    )
    before = refusal(project.make("migration-check"))
    assert "1 pending" in before
    ok(project.make("migrate"))
    assert {"v"} <= project.tables()
    assert "alembic_version" not in dump(project, all_of_it=True)
    assert INITIAL in ok(project.make("migration-current"))
    assert "nothing to do" in ok(project.make("migrate"))
    ok(project.make("migration-check"))
    ok(project.make("migrate-test"))
    shown = ok(project.python("-c", IN_A_ROW)).splitlines()[-1]
    assert ast.literal_eval(shown) == [0, 0, 0]
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))


def keep_versions_in_a_schema(project: Project) -> None:
    """Let env.py name a schema for the version table, which is not there yet."""
    keyword = 'environment.run(metadata, version_table_schema="own", '
    project.edit("alembic/env.py", "environment.run(metadata, ", keyword)


def test_the_version_table_may_have_a_schema_of_its_own(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    keep_versions_in_a_schema(project)
    sql = project.make("migration-sql").stdout
    ok(project.make("migrate"))
    assert project.sql("SELECT version_num FROM own.alembic_version") == [(INITIAL,)]
    assert INITIAL in ok(project.make("migration-current"))
    assert "nothing to do" in ok(project.make("migrate"))
    ok(project.make("migration-check"))
    ok(project.make("migrate-test"))
    assert "No changes" in ok(project.make("migration", "MSG=nothing"))
    shown = ok(project.python("-c", IN_A_ROW)).splitlines()[-1]
    assert ast.literal_eval(shown) == [0, 0, 0]
    by_hand = replace(project, url=postgres_server.create_database())
    by_hand.script(sql)
    assert by_hand.sql("SELECT version_num FROM own.alembic_version") == [(INITIAL,)]


def test_ensure_version_makes_the_schema_first(
    postgresql_project: Project, postgres_server: PostgresServer
) -> None:
    project = postgresql_project
    keep_versions_in_a_schema(project)
    ok(project.alembic("ensure_version"))
    assert project.sql("SELECT version_num FROM own.alembic_version") == []
    by_hand = replace(project, url=postgres_server.create_database())
    by_hand.script(project.alembic("ensure_version", "--sql").stdout)
    assert by_hand.sql("SELECT version_num FROM own.alembic_version") == []


@pytest.mark.first_on("sqlite")
def test_what_is_called_on_version_apply_finds_the_new_revision(project: Project) -> None:
    project.edit(
        "alembic/env.py",
        "environment.run(metadata, ",
        'environment.run(metadata, on_version_apply=lambda ctx, **_: print("at", *ctx.get_current_heads()), ',
    )
    name = add_revision(project)
    printed = ok(project.alembic("upgrade", "head"))
    assert f"at {INITIAL}\n" in printed
    assert f"at {name}\n" in printed
    assert f"at {INITIAL}\n" in ok(project.alembic("downgrade", "-1"))


@pytest.mark.first_on("sqlite")
def test_what_env_py_says_on_version_apply_is_called_as_well(project: Project) -> None:
    project.edit(
        "alembic/env.py",
        "environment.run(metadata, ",
        'environment.run(metadata, on_version_apply=lambda step, **_: print("told", step.up_revision_id), ',
    )
    assert f"told {INITIAL}" in ok(project.alembic("upgrade", "head"))
    ok(project.alembic("downgrade", "base"))
    assert f"told {INITIAL}" in ok(project.python("-c", AT_A_START))
