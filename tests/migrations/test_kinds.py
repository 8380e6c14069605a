"""A revision works in one transaction or in autocommit; one that would do both is refused."""

import pytest

from support.database_state import add_revision, dump, write_revision
from support.online_fixtures import ALEMBICS, INDEX, shape
from support.projects import INITIAL, Project, ok, refusal

pytestmark = pytest.mark.slow
HIDDEN = f"\n\n\ndef hidden() -> None:\n    {INDEX}\n"


def test_a_revision_of_both_kinds_is_refused_before_it_begins(in_use: Project) -> None:
    project = in_use
    before = shape(project)
    add_revision(project, 'op.add_column("users", sa.Column("more", sa.Integer()))', ALEMBICS)
    line = refusal(project.alembic("upgrade", "head"))
    assert "line 14 autocommits, line 13 works in a transaction" in line
    assert "nothing was run" in line
    assert shape(project) == before

    # Split as it says, it runs.
    project.revisions()[-1].unlink()
    add_revision(project, 'op.add_column("users", sa.Column("more", sa.Integer()))')
    add_revision(project, ALEMBICS)
    ok(project.alembic("upgrade", "head"))
    assert {"more", "ix_users_name"} <= {row[0] for row in shape(project)}


@pytest.mark.first_on("postgresql")
@pytest.mark.parametrize("end", ["op.get_bind().commit()", 'op.execute("COMMIT")', 'op.execute("ROLLBACK")'])
def test_a_revision_that_ends_its_own_transaction_is_stopped(project: Project, end: str) -> None:
    ok(project.alembic("upgrade", INITIAL))
    before = dump(project)
    add_revision(project, 'op.execute("CREATE TABLE told (n INTEGER)")', end, 'op.execute("DROP TABLE told")')
    line = refusal(project.alembic("upgrade", "head"))
    assert "_step01.py:14: a revision does not end its own transaction" in line
    assert dump(project) == before

    project.revisions()[-1].unlink()
    savepoint = ('op.execute("SAVEPOINT one")', 'op.execute("ROLLBACK TO SAVEPOINT one")')
    add_revision(project, *savepoint, 'op.execute("CREATE TABLE told (n INTEGER)")')
    ok(project.alembic("upgrade", "head"))
    assert "told" in project.tables()


def test_a_revision_that_nobody_would_await_is_refused(project: Project) -> None:
    ok(project.alembic("upgrade", INITIAL))
    add_revision(project, 'op.execute("DROP TABLE users")')
    path = project.revisions()[-1]
    path.write_text(path.read_text("utf-8").replace("def upgrade", "async def upgrade"), "utf-8")
    for arguments in ((), ("--sql",)):
        line = refusal(project.alembic("upgrade", f"{INITIAL}:head" if arguments else "head", *arguments))
        assert "upgrade() is an 'async def', which nobody would await" in line
    assert project.version() == [INITIAL]


def test_what_is_said_to_remain_is_what_the_way_that_failed_has_left(in_use: Project) -> None:
    project = in_use
    add_revision(project, INDEX, downgrade='op.execute("SELECT 1/0")')
    ok(project.alembic("upgrade", "head"))
    assert "division by zero; this revision changed nothing" in refusal(project.alembic("downgrade", "-1"))
    add_revision(project, 'op.execute("CREATE INDEX CONCURRENTLY mine ON users (name)")')
    line = refusal(project.alembic("upgrade", "head"))
    assert "cannot run inside a transaction block (put it in 'with op.get_context().autocommit_bl" in line
    assert line.endswith("this revision changed nothing")


def test_an_isolation_level_that_comes_too_late_gets_no_advice_about_autocommit(
    postgresql_project: Project,
) -> None:
    too_late = 'op.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")'
    add_revision(postgresql_project, 'op.execute("SELECT 1")', too_late)
    line = refusal(postgresql_project.alembic("upgrade", "head"))
    assert "must be called before any query" in line
    assert "autocommit" not in line


def test_the_lock_timeout_is_back_after_a_concurrent_index_that_failed(in_use: Project) -> None:
    project = in_use
    timeout = 'op.get_bind().scalar(sa.text("SHOW lock_timeout"))'
    add_revision(
        project,
        f"before = {timeout}",
        "with op.get_context().autocommit_block():",
        '    for name in ("one", "two"):',
        "        try:",
        '            op.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON users (name)")',
        "        except sa.exc.IntegrityError:",
        '            op.execute(f"DROP INDEX IF EXISTS {name}")',
        f"            assert {timeout} == before",
        "    try:",
        '        op.execute("CREATE UNIQUE INDEX CONCURRENTLY three ON users (name)")',
        "    except sa.exc.IntegrityError:",
        "        pass",
        f"assert {timeout} == before",
    )
    ok(project.alembic("upgrade", "head"))


def test_branches_and_what_only_reads_are_no_second_kind(in_use: Project) -> None:
    project = in_use
    add_revision(project, "op.execute(\"SET statement_timeout = '1h'\")", INDEX)
    add_revision(
        project,
        'if op.get_bind().dialect.name == "postgresql":',
        "    with op.get_context().autocommit_block():",
        '        op.execute("ALTER TABLE orders ADD COLUMN more int")',
        "else:",
        '    op.add_column("orders", sa.Column("more", sa.Integer()))',
    )
    ok(project.alembic("upgrade", "head"))
    assert {"ix_users_name", "more"} <= {row[0] for row in shape(project)}


def test_the_first_revision_of_all_may_autocommit(postgresql_project: Project) -> None:
    project = postgresql_project
    for file in (project.path / "alembic" / "versions").glob("*.py"):
        file.unlink()
    project.sql("CREATE TABLE users (id uuid PRIMARY KEY, name text)")  # an adopted database
    path = write_revision(project, "first", INDEX)
    path.write_text(
        path.read_text("utf-8").replace(f"down_revision = '{INITIAL}'", "down_revision = None"), "utf-8"
    )
    ok(project.alembic("upgrade", "head"))
    assert project.version() == ["first"]


def test_a_revision_of_both_kinds_is_stopped_where_the_second_begins(in_use: Project) -> None:
    project = in_use
    before = shape(project)
    add_revision(project, 'op.execute("ALTER TABLE users ADD COLUMN more int")', "hidden()")
    path = project.revisions()[-1]
    path.write_text(path.read_text("utf-8") + HIDDEN, "utf-8")
    said = refusal(project.alembic("upgrade", "head"))
    assert "statements in the transaction, and then a commit" in said
    assert shape(project) == before

    path.unlink()
    add_revision(project, "hidden()", 'op.execute("ALTER TABLE users ADD COLUMN more int")')
    path = project.revisions()[-1]
    path.write_text(path.read_text("utf-8") + HIDDEN, "utf-8")
    said = refusal(project.alembic("upgrade", "head"))
    assert "a commit, and then statements in a transaction" in said
    assert "more" not in {row[0] for row in shape(project)}
    assert project.version() == [INITIAL]
