"""A revision does not end its own transaction, on whatever road: all of it is done, or nothing."""

import re

import pytest

from support.database_state import add_revision, dump, history
from support.processes import LONG
from support.projects import INITIAL, Project, ok, refusal

pytestmark = pytest.mark.slow

REFUSED = "a revision does not end its own transaction"
BEGIN_SESSION = (
    "from sqlalchemy.orm import Session",
    'session = Session(bind=op.get_bind(), join_transaction_mode="control_fully")',
    'session.execute(sa.text("SELECT 1"))',
)
RAW = "op.get_bind().connection.dbapi_connection"
# Each of them after a statement, which it would commit or take back.
ENDS = {
    "commit": ("op.get_bind().commit()",),
    "rollback": ("op.get_bind().rollback()",),
    "session rollback": (*BEGIN_SESSION, "session.rollback()"),
    "session commit": (*BEGIN_SESSION, "session.commit()"),
    "default session rollback": (
        BEGIN_SESSION[0],
        "session = Session(op.get_bind()); session.connection(); session.rollback()",
    ),
    "transaction": ("op.get_bind().get_transaction().rollback()",),
    "close": ("op.get_bind().close()",),
    "invalidate": ("op.get_bind().invalidate()",),
    "detach": ("op.get_bind().detach()",),
    "text": ('op.execute("COMMIT")',),
    "text rollback": ('op.execute("ROLLBACK")',),
    "text end": ('op.execute("END")',),
    "semicolon": ('op.execute(";commit")',),
    "comment": ('op.execute("-- over\\n/* and out */ COMMIT")',),
}
# Past SQLAlchemy, which PostgreSQL cannot refuse.
DRIVER = {
    "driver": (f"{RAW}.commit()",),
    "driver rollback": (f"{RAW}.rollback()",),
    "driver text": (f'{RAW}.run_async(lambda driver: driver.execute("COMMIT"))',),
    "driver again": (
        f'{RAW}.run_async(lambda driver: driver.execute("COMMIT"))',
        f'{RAW}.run_async(lambda driver: driver.execute("BEGIN"))',
    ),
}
ON_POSTGRESQL = {
    "two phases": ("op.execute(\"PREPARE TRANSACTION 'mine'\")",),
    "abort": ('op.execute("ABORT")',),
}


def swallowed(*lines: str) -> tuple[str, ...]:
    """Lines whose failure nobody hears of."""
    imports = [line for line in lines if line.startswith("from")]
    rest = [f"    {line}" for line in lines if not line.startswith("from")]
    return (*imports, "try:", *rest, "except Exception:", "    pass")


def refuse(project: Project, *end: str) -> str:
    """Run a revision that ends its transaction; the line that refuses it, as the history has it, too."""
    name = add_revision(project, 'op.execute("CREATE TABLE told (n INTEGER)")', *end)
    line = refusal(project.alembic("upgrade", "head"))
    last = history(project)[-1]
    assert (last["revision"], last["outcome"]) == (name, "failed"), end
    project.revisions()[-1].unlink()
    return line


def test_a_revision_that_ends_its_transaction_is_refused_and_leaves_nothing(project: Project) -> None:
    ok(project.alembic("upgrade", INITIAL))
    before = dump(project)
    for name, lines in (ENDS | (ON_POSTGRESQL if project.dialect == "postgresql" else DRIVER)).items():
        assert re.search(rf"_step01\.py:\d+: {REFUSED}", refuse(project, *lines)), lines
        if LONG or name in ("commit", "close", "text"):
            assert REFUSED in refuse(project, *swallowed(*lines)), lines
    assert dump(project) == before


@pytest.mark.parametrize("end", DRIVER.values(), ids=DRIVER)
def test_on_postgresql_what_the_driver_ended_is_found_out_and_not_recorded(
    postgresql_project: Project, end: tuple[str, ...]
) -> None:
    project = postgresql_project
    ok(project.alembic("upgrade", INITIAL))
    name = add_revision(project, 'op.execute("CREATE TABLE told (n INTEGER)")', *end)
    line = refusal(project.alembic("upgrade", "head"))
    assert "_step01.py" in line
    assert REFUSED in line
    assert "what it did before that may stay" in line
    assert project.version() == [INITIAL]
    assert (history(project)[-1]["revision"], history(project)[-1]["outcome"]) == (name, "failed")


def test_savepoints_are_the_revisions_own(project: Project) -> None:
    add_revision(
        project,
        'op.execute("CREATE TABLE told (n INTEGER)")',
        "with op.get_bind().begin_nested():",
        '    op.execute("INSERT INTO told VALUES (1)")',
        "nested = op.get_bind().begin_nested()",
        'op.execute("INSERT INTO told VALUES (2)")',
        "nested.rollback()",
        'op.execute("SAVEPOINT mine")',
        'op.execute("INSERT INTO told VALUES (3)")',
        'op.execute("ROLLBACK TO SAVEPOINT mine")',
        'op.execute("RELEASE SAVEPOINT mine")',
        "from sqlalchemy.orm import Session",
        "with Session(bind=op.get_bind()) as session:",
        '    session.execute(sa.text("INSERT INTO told VALUES (4)"))',
        "    session.commit()",
    )
    ok(project.alembic("upgrade", "head"))
    assert project.sql("SELECT n FROM told ORDER BY n") == [(1,), (4,)]


def test_what_sqlalchemy_refuses_in_a_transaction_is_one_line(project: Project) -> None:
    ok(project.alembic("upgrade", INITIAL))
    for statement in (
        "op.get_bind().begin()",
        'op.get_bind().execution_options(isolation_level="AUTOCOMMIT")',
        'op.get_bind().execution_options(isolation_level="SERIALIZABLE")',
    ):
        line = refuse(project, statement)
        assert "_step01.py:14: " in line
        assert "this revision changed nothing" in line or "nothing was changed" in line
    assert "told" not in project.tables()
