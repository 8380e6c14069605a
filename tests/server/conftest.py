"""Fixtures of tests about servers: the example resource, served on either database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.example_service import ROUTES, Serve, serving
from support.projects import Project
from support.servers import PostgresServer, running_server


@pytest.fixture(scope="session")
def example(compiled_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with endpoints of a test beside the example."""
    project = Project.adopt(compiled_project, tmp_path_factory.mktemp("example") / "project", "none")
    project.write("app/api/tried.py", ROUTES)
    return project


@pytest.fixture
def serve(example: Project, tmp_path: Path) -> Iterator[Serve]:
    """Function that serves it on a database, and returns a client."""
    with serving(example, tmp_path) as serve:
        yield serve


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server
