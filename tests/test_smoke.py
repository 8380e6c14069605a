"""The test to read first: bakes a project and types every command of the daily loop, on both databases.

What each command does in detail, and says when something is wrong, is in the folders beside this file.
`make run`, `make check` and `make test` of a project take longer: `commands/test_daily_loop.py` types them.
"""

import shlex
from pathlib import Path

import pytest

from support.baking import Baker
from support.projects import INITIAL, Project, ok
from support.servers import PostgresServer

# What is typed, and a piece of what it prints.
FIRST_DAY = (
    ("make help", "migration-down"),
    ("make db-up", ""),
    ("make migrate", "create users"),
    ("make db-test", "round trip"),
    ("make migration-current", INITIAL),
)
A_CHANGED_MODEL = (
    ("make migration MSG='add products'", "_add_products.py"),
    ("make migration-history", "add products"),
    ("make migration-sql REV=head", "CREATE TABLE products"),
    ("make migrate-test", "down to base"),
    ("make migrate", "add products"),
    ("make migration-check", "nothing is pending"),
    ("make migration-log", "done"),
    ("make migration-down", "add products"),
    ("make migration-empty MSG='fill products'", "_fill_products.py"),
    ("make migrate REV=head", "fill products"),
    ("make migration-show REV=head", "fill products"),
    ("make db-reset", "fill products"),
    ("make migration-stamp REV=head", "nothing to do"),
    ("make db-down", ""),
)


@pytest.mark.parametrize("database", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)])
def test_every_command_of_the_daily_loop(
    bake: Baker, tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    url = "sqlite+aiosqlite:///dev.db"
    if database == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    project = Project.adopt(bake(database=database), tmp_path / "project", url)
    project.variables["CONFIRM"] = url.rpartition("/")[2]  # of db-reset: the server is not of db-up's making

    for typed, printed in FIRST_DAY:
        assert printed in type_line(project, typed)
    project.add_product()
    for typed, printed in A_CHANGED_MODEL:
        assert printed in type_line(project, typed)
    assert {"users", "products"} <= project.tables()


def type_line(project: Project, line: str) -> str:
    """Type a line in the project's folder; return what it printed."""
    program, *arguments = shlex.split(line)
    assert program == "make"
    return ok(project.make(*arguments))
