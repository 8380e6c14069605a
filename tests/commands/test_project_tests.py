"""The tests of a generated project tell the truth: about endpoints, background tasks and revisions."""

import re
import shutil
from pathlib import Path

import pytest

from support.database_state import add_revision, write_revision
from support.documents import DOCUMENTS, blocks
from support.projects import Project, like_others, ok

pytestmark = pytest.mark.slow

SERVICE = Path(__file__).parents[1] / "support" / "sample_service"
ROUTER = "\nfrom app.api import people  # noqa: E402\n\napp.include_router(people.router)\n"
COMMIT_FIRST = "commit first, or mark the test with @pytest.mark.own_connections"


def install(project: Project, *tests: str) -> None:
    """Give a project endpoints, and tests of them."""
    shutil.copy(SERVICE / "people.py", project.path / "app" / "api")
    for name in tests:
        shutil.copy(SERVICE / f"{name}_tests.py", project.path / "tests" / f"test_{name}.py")
    main = project.path / "app" / "main.py"
    main.write_text(main.read_text("utf-8") + ROUTER, "utf-8")


def run_tests(project: Project, *arguments: str, before: list[str] | None = None) -> tuple[int, str]:
    """Run tests of a project; returns pytest's exit status and what it printed."""
    result = project.run(*(before or []), project.interpreter, "-m", "pytest", "-q", *arguments)
    return result.returncode, result.stdout + result.stderr


COUNT = """
from httpx import AsyncClient


async def test_users_are_counted(client: AsyncClient) -> None:
    assert (await client.get("/count")).json() == 0
"""


@pytest.mark.first_on("postgresql")
def test_endpoints_tasks_and_clients_work_on_the_tests_transaction(project: Project) -> None:
    install(project, "people", "refused")
    endpoint, *_, examples = blocks(DOCUMENTS["the project's README.md"], "python")
    project.write("app/api/count.py", endpoint)
    project.write("tests/test_count.py", COUNT)
    project.write("tests/test_readme.py", examples)
    files = [f"tests/test_{name}.py" for name in ("count", "people", "readme", "refused")]
    _, printed = run_tests(project, "--tb=short", *files)
    assert re.search(r"\n3 failed, \d+ passed in", printed), printed
    assert printed.count("FAILED tests/test_refused.py") == 3, printed
    assert printed.count(COMMIT_FIRST) >= 2, printed
    assert project.tables() == set()


FORGOTTEN = """
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession
from app.models.user import User

async def test_one(client: AsyncClient, session: AsyncSession) -> None:
    session.add(User(email="ada@example.com", name="Ada"))
    await session.flush()
    await client.post("/people", params={"email": "bob@example.com"})
"""


def test_a_commit_that_a_test_has_forgotten_is_shown_by_the_projects_own_lines(
    sqlite_project: Project,
) -> None:
    install(sqlite_project)
    sqlite_project.write("tests/test_forgotten.py", FORGOTTEN)
    _, printed = run_tests(sqlite_project, "tests/test_forgotten.py")
    assert COMMIT_FIRST in printed
    places = re.findall(r"^(\S+\.py):\d+: ", printed, re.MULTILINE)
    assert (places[0], places[-1]) == ("tests/test_forgotten.py", "app/api/people.py"), printed
    middleware = {"app/logs.py", "app/api/limits.py", "app/api/head.py"}  # through which requests go
    assert {*places[1:-1]} == middleware, printed


def test_a_checkout_that_cannot_be_written_to_runs_its_tests(sqlite_project: Project) -> None:
    project, before = sqlite_project, like_others()
    ok(project.run("chmod", "-R", "a-w", str(project.path)))
    try:
        status, printed = run_tests(project, "tests/test_models.py", "tests/test_health.py", before=before)
    finally:
        ok(project.run("chmod", "-R", "u+w", str(project.path)))
    assert status == 0, printed
    assert " passed" in printed


FAMILY = """
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.models.base import Base


class Point(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "POINT"


class Parent(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(40))
    born: Mapped[datetime]
    home: Mapped[Any] = mapped_column(Point(), nullable=True)


class Child(Base):
    __tablename__ = "children"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
    nickname: Mapped[str | None] = mapped_column(String(40))
"""
TABLES = (
    "op.create_table('parents', sa.Column('id', sa.Integer(), primary_key=True),",
    "    sa.Column('name', sa.String(40)), sa.Column('born', sa.DateTime(timezone=True), nullable=False))",
    "op.execute('ALTER TABLE parents ADD COLUMN home point')",
    "op.create_table('children', sa.Column('id', sa.Integer(), primary_key=True),",
    "    sa.Column('parent_id', sa.Integer(), sa.ForeignKey('parents.id'), nullable=False))",
)
ROWS = """
    ("step01", "parents", {"id": 1, "name": "O'Brien", "born": datetime(2026, 1, 2, tzinfo=UTC)}),
    ("step01", "children", {"id": 1, "parent_id": 1}),
    ("step02", "children", {"id": 2, "parent_id": 1, "nickname": None}),
]

HERE"""
REVISIONS_TEST = "tests/test_database_migrations.py"


@pytest.mark.parametrize("dialect", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)])
def test_rows_are_a_parent_and_its_child_of_any_value_and_type(
    request: pytest.FixtureRequest, dialect: str
) -> None:
    project: Project = request.getfixturevalue(f"{dialect}_project")
    home = re.compile(r".*Point\(\), nullable.*\n") if project.dialect == "sqlite" else None
    project.write("app/models/family.py", home.sub("", FAMILY) if home else FAMILY)
    tables = [line for line in TABLES if not (home and "point" in line)]  # no type of SQLite's
    add_revision(project, *tables, downgrade="op.drop_table('children'); op.drop_table('parents')")
    nickname = "op.add_column('children', sa.Column('nickname', sa.String(40)))"
    add_revision(project, nickname, downgrade="op.drop_column('children', 'nickname')")
    project.edit(REVISIONS_TEST, "]\n\nHERE", ROWS.lstrip("\n"))
    project.edit(REVISIONS_TEST, "from datetime import date,", "from datetime import UTC, date, datetime,")
    status, printed = run_tests(project, REVISIONS_TEST)
    assert status == 0, printed


@pytest.mark.long
def test_without_the_example_the_tests_say_in_a_line_what_to_change(sqlite_project: Project) -> None:
    project = sqlite_project
    revision = next((project.path / "alembic" / "versions").glob("*_create_users.py"))
    phone = '        sa.Column("phone", sa.String(), nullable=False),\n        sa.PrimaryKeyConstraint'
    project.edit(str(revision), "        sa.PrimaryKeyConstraint", phone)
    project.edit("app/models/user.py", "    name:", "    phone: Mapped[str]\n    name:")
    _, printed = run_tests(project, REVISIONS_TEST)
    assert one_failure(printed).endswith("NOT NULL constraint failed: users.phone"), printed

    for name in ("app/models/user.py", "app/schemas/user.py", "app/api/users.py", "tests/test_users.py"):
        (project.path / name).unlink()
    revision.unlink()
    project.edit(REVISIONS_TEST, "        EXAMPLE,\n", '        "nobody",\n')
    _, printed = run_tests(project)
    assert one_failure(printed).endswith("there is no revision nobody"), printed
    project.edit(REVISIONS_TEST, '"nobody"', '"step01"')
    write_revision(project, "step01", after=None)
    _, printed = run_tests(project, REVISIONS_TEST)
    assert one_failure(printed).endswith("no such table: users"), printed

    write_revision(project, "step01", "op.execute('SELEC 1')", after=None)
    _, printed = run_tests(project)
    assert "Exit: 20260102_0000_step01.py:13: " in printed.splitlines()[-1], printed
    assert "Traceback" not in printed


def one_failure(printed: str) -> str:
    """Return the line about ROWS; nothing else has failed, and there is no traceback."""
    assert re.search(r"\n1 failed, \d+ passed", printed), printed
    assert "Traceback" not in printed, printed
    (line,) = [line for line in printed.splitlines() if line.startswith("ROWS of tests/")]
    return line
