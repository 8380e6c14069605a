"""Fixtures of the template's tests."""

import compileall
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from support import memory
from support.baking import Baker, copy_checkout
from support.commands import PACKAGES, fork_server, forking
from support.devserver_project import (
    DevServerProject,
    MakeProject,
    User,
    adopt,
    compiling,
    ordinary,
    public_folder,
)
from support.online_fixtures import at_first
from support.processes import LONG
from support.projects import FOREIGN, Project, environment, ok
from support.servers import PostgresServer, running_server
from support.shared import made_once

WAITING = ("online", "server")  # folders whose tests mostly wait, for locks and for servers
LONGEST = ("test_fresh_machine", "test_killed_migrations")  # would end alone, if they came last
SHARED = pytest.StashKey[AbstractContextManager[Path]]()


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors: tests wait a lot for the processes they start."""
    return max(1, (os.cpu_count() or 1) * 3 // 2)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `long`, but in the long version and where it is asked for by name."""
    named = any("::" in argument for argument in config.args)
    if not (LONG or named):
        left_out = [item for item in items if item.get_closest_marker("long") or _is_second_half(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    first = [item for item in items if item.path.stem in LONGEST]
    items[:] = [*first, *_mixed([item for item in items if item not in first])]


def _mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """Spread the tests that mostly wait among those that compute: workers run neighbours at once."""
    places: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        places[item.path.parent.name in WAITING].append(item)
    shares = [(number / len(each), item) for each in places.values() for number, item in enumerate(each)]
    return [item for _, item in sorted(shares, key=lambda share: share[0])]


def _is_second_half(item: pytest.Item) -> bool:
    """Whether it repeats on one database what the other has shown, and is about no difference of them."""
    marker = item.get_closest_marker("first_on")
    second = {"postgresql": "[sqlite", "sqlite": "[postgresql"}
    return marker is not None and second[marker.args[0]] in item.name


def pytest_configure(config: pytest.Config) -> None:
    """Make a folder for what all workers use; they inherit its name, and every user can get into it.

    Who runs the tests in the background lets them ignore signals, and so would each program they start.
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        memory.use_memory()
        folder = config.stash[SHARED] = public_folder()
        os.environ["TESTS_SHARED"] = str(folder.__enter__())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove that folder."""
    if SHARED in config.stash:
        config.stash[SHARED].__exit__(None, None, None)


@pytest.fixture(scope="session", autouse=True)
def forked_commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run the commands of projects in a fork server of this process."""
    with forking(environment(), tmp_path_factory.mktemp("environment") / "venv"):
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy of the template that no test writes to."""
    return copy_checkout(tmp_path_factory.mktemp("template") / "service-template")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """PostgreSQL of this process alone: make databases and roles in it, and leave it running."""
    with running_server() as server:
        yield server


@pytest.fixture
def bake(template: Path, tmp_path: Path) -> Baker:
    """Factory of projects: `bake(database="sqlite")` is the path of one."""
    return Baker(template, tmp_path)


@pytest.fixture(scope="session")
def default_project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Project baked with the defaults, to look at only."""

    def bake(folder: Path) -> None:
        shutil.move(Baker(template, tmp_path_factory.mktemp("defaults"))(), folder)

    return made_once("my_service", bake)


@pytest.fixture(scope="session")
def compiled_project(default_project: Path) -> Path:
    """The same with its bytecode, which is a fifth of the time that its commands take."""

    def compile_project(folder: Path) -> None:
        shutil.copytree(default_project, folder, symlinks=True)
        for package in PACKAGES:
            compileall.compile_dir(folder / package, quiet=1)

    return made_once("compiled", compile_project)


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a developer's `PGPASSWORD` nor the certificates in the home folder decide a test."""
    for name in filter(FOREIGN.search, list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def sqlite_project(compiled_project: Path, tmp_path: Path) -> Project:
    """A project whose database is an SQLite file in its folder."""
    return Project.adopt(compiled_project, tmp_path / "project", "sqlite+aiosqlite:///dev.db")


@pytest.fixture
def postgresql_project(
    compiled_project: Path, tmp_path: Path, postgres_server: PostgresServer
) -> Iterator[Project]:
    """A project with a database of its own on a real server."""
    url = postgres_server.create_database()
    yield Project.adopt(compiled_project, tmp_path / "project", url)
    if memory.is_used():
        postgres_server.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def project(request: pytest.FixtureRequest) -> Project:
    """Each of the two in turn."""
    made: Project = request.getfixturevalue(f"{request.param}_project")
    return made


@pytest.fixture(scope="session")
def ordinary_user() -> Iterator[User]:
    """An ordinary user."""
    with ordinary(Path(os.environ["TESTS_SHARED"])) as user:
        yield user


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> User:
    """Root, with the Python of these tests."""
    if os.geteuid() != 0:
        pytest.skip("not root")
    return User(sys.executable, tmp_path_factory.mktemp("home"), server=fork_server(compiling()))


@pytest.fixture
def make_project(default_project: Path, ordinary_user: User) -> Iterator[MakeProject]:
    """Factory of projects; their servers end with the test."""
    made: list[DevServerProject] = []
    with public_folder() as folder:

        def make(user: User = ordinary_user, name: str = "shop", inside: Path = folder) -> DevServerProject:
            made.append(adopt(default_project, inside / name, user))
            return made[-1]

        yield make
        for project in made:
            project.close()


@pytest.fixture
def shop(make_project: MakeProject) -> DevServerProject:
    """A project of an ordinary user."""
    return make_project()


@pytest.fixture
def private(root: User) -> Iterator[Path]:
    """A folder that only root can enter, as its home is."""
    with public_folder() as folder:
        folder.chmod(0o700)
        yield folder


@pytest.fixture(scope="session")
def shop_with_server(default_project: Path, ordinary_user: User) -> Iterator[DevServerProject]:
    """A project whose `db-up` started its server."""
    with public_folder() as folder:
        project = adopt(default_project, folder / "shop", ordinary_user)
        ok(project.up(DB_SERVER="system"))
        yield project
        project.close()


@pytest.fixture
def in_use(postgresql_project: Project) -> Project:
    """One with rows that others work with."""
    return at_first(postgresql_project)
