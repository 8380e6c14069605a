"""`make db-up` and `make db-down` on real servers: PostgreSQL of this machine and of the package."""

import contextlib
import re
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.devserver_project import DevServerProject, MakeProject, User, needs_postgresql, needs_root
from support.projects import ok, refusal
from support.servers import running_server

pytestmark = pytest.mark.slow


@contextmanager
def arguments_of_all_processes() -> Iterator[list[str]]:
    """Collect what everybody can read of the processes that run meanwhile."""
    seen: set[str] = set()
    collected: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            time.sleep(0.01)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield collected
    finally:
        done.set()
        thread.join()
        collected.extend(seen)


@pytest.mark.parametrize(
    ("user", "way"),
    [
        pytest.param("root", "system", marks=[needs_postgresql, pytest.mark.long], id="root-system"),
        pytest.param("root", "wheel", id="root-wheel"),
        pytest.param("ordinary_user", "system", marks=needs_postgresql, id="ordinary_user-system"),
        pytest.param("ordinary_user", "wheel", marks=pytest.mark.long, id="ordinary_user-wheel"),
    ],
)
def test_a_server_starts_in_both_ways_for_root_and_others_and_keeps_its_data(
    make_project: MakeProject, request: pytest.FixtureRequest, user: str, way: str
) -> None:
    project = make_project(request.getfixturevalue(user))
    with arguments_of_all_processes() as arguments:
        said = ok(project.up(DB_SERVER=way)).splitlines()[-1]
    found = {"system": "found on this machine", "wheel": "from the Python package"}[way]
    assert re.fullmatch(
        rf"PostgreSQL \d\d\.\d+, {found}, answers on 127\.0\.0\.1:{project.port} "
        r"\(database shop_dev, data in \.database\)",
        said,
    )
    if way == "wheel":  # whatever the version of Python: a new one has no wheel for months
        [tags] = (project.path / ".database" / "wheel").glob("pixeltable*.dist-info/WHEEL")
        assert "cp314" in tags.read_text("utf-8")
    assert any("cluster_name" in text for text in arguments)
    secrets = (project.password, (project.path / ".database" / "admin").read_text())
    assert not any(secret in text for text in arguments for secret in secrets)
    assert stat.S_IMODE((project.path / ".database" / "log").stat().st_mode) == 0o600
    assert project.sql("SHOW cluster_name") == [project.mark()]
    assert project.sql("SHOW listen_addresses") == ["127.0.0.1"]
    # As many as a revision takes that drops 1,000 tables, with their indexes and sequences.
    locks = "SELECT count(pg_advisory_xact_lock(n)) FROM generate_series(1, 20000) n"
    assert project.sql(locks) == [20000]
    assert project.sql("SELECT rolname FROM pg_roles WHERE rolsuper") == ["dbkit_admin"]
    project.remember()

    before = project.pid
    assert ok(project.up()).splitlines()[-1] == said  # and without DB_SERVER: it stays where it is
    assert project.pid == before

    assert "stopped" in ok(project.down())
    with pytest.raises(ConnectionRefusedError):
        project.sql("SELECT 1")
    assert "No server of this project runs" in ok(project.down())

    assert ok(project.up()).splitlines()[-1] == said
    assert project.remembers()


@needs_postgresql
def test_a_running_server_is_not_left_behind_for_another_way(shop: DevServerProject) -> None:
    ok(shop.up())
    assert "'make db-down' before DB_SERVER=wheel" in refusal(shop.up(DB_SERVER="wheel"))
    assert shop.sql("SELECT 1") == [1]


def test_sqlite_needs_no_server(shop: DevServerProject) -> None:
    (shop.path / ".env").write_text("DATABASE_URL=sqlite:///dev.db\n")
    assert "there is no server to start" in ok(shop.up())
    assert not (shop.path / ".database").exists()
    assert "No server of this project runs" in ok(shop.down())


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("postgresql://app:s3cret@127.0.0.1:1/shop", "127.0.0.1:1, database shop"),
        ("sqlite:///other.db", "SQLite"),
    ],
    ids=["postgresql", "sqlite"],
)
def test_a_database_url_in_the_environment_that_points_elsewhere_starts_nothing(
    shop: DevServerProject, url: str, where: str
) -> None:
    said = ok(shop.up(DATABASE_URL=url))
    assert where in said
    assert "nothing started" in said
    assert "s3cret" not in said
    assert not (shop.path / ".database").exists()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:s3cret@10.0.0.1/shop",
        "postgresql://app:s3cret@127.0.0.1,127.0.0.2/shop",
        "postgresql://app:s3cret@/shop?host=/run/postgresql",
    ],
    ids=["host", "hosts", "socket"],
)
def test_a_server_that_is_not_a_port_of_this_machine_is_nothing_to_start(
    shop: DevServerProject, url: str
) -> None:
    (shop.path / ".env").write_text(f"DATABASE_URL={url}\n")
    said = ok(shop.up())
    assert "nothing started" in said
    assert "s3cret" not in said


@needs_postgresql
def test_the_same_url_in_the_environment_and_in_env_is_the_same_server(shop: DevServerProject) -> None:
    url = f"postgresql+asyncpg://app:{shop.password}@127.0.0.1:{shop.port}/shop_dev?application_name=shop"
    assert "answers on" in ok(shop.up(DATABASE_URL=url))


def test_a_url_that_lacks_what_a_server_needs_is_refused(shop: DevServerProject) -> None:
    (shop.path / ".env").write_text("DATABASE_URL=postgresql://app@localhost/shop\n")
    assert "needs a user, a password and a database" in refusal(shop.up())


@needs_postgresql
def test_a_server_of_ones_own_that_env_has_the_password_of_is_left_alone(shop: DevServerProject) -> None:
    with running_server() as server:
        server.create_database("mine")
        (shop.path / ".env").write_text(f"DATABASE_URL={server.url('mine')}\n")
        said = ok(shop.up())
        assert "is not of db-up's making: nothing started" in said
        assert server.password not in said
        (shop.path / ".env").write_text(f"DATABASE_URL={server.url('missing')}\n")
        assert "has no database missing" in refusal(shop.up())
        assert server.sql("SELECT count(*) FROM pg_database WHERE datname = 'missing'") == "0"
    assert not (shop.path / ".database" / "data").exists()


@needs_postgresql
@pytest.mark.parametrize("name", ["with space", "größe a'b\"c $HOME $(touch x)"], ids=["space", "all"])
def test_any_folder_will_do(make_project: MakeProject, name: str) -> None:
    shop = make_project(name=name)
    ok(shop.up())
    assert shop.sql("SHOW cluster_name") == [shop.mark()]
    assert re.fullmatch(r"[!-~]{1,63}", shop.mark())
    assert "stopped" in ok(shop.down())


def test_programs_in_a_folder_whose_name_a_shell_would_run_are_refused_in_a_line(
    make_project: MakeProject,
) -> None:
    shop = make_project(name="$(touch x)")
    assert "whose name means something to a shell" in refusal(shop.up(DB_SERVER="wheel"))
    assert not (shop.path / ".database" / "data").exists()


@needs_root
@pytest.mark.parametrize(
    "way",
    [
        pytest.param("system", marks=needs_postgresql),
        pytest.param("wheel", marks=pytest.mark.long),
    ],
)
def test_in_a_folder_that_only_root_can_enter_the_data_goes_elsewhere_and_is_found_again(
    make_project: MakeProject, root: User, private: Path, way: str
) -> None:
    shop = make_project(root, inside=private)
    said = ok(shop.up(DB_SERVER=way))
    home = shop.data.parent
    assert home.parent == Path("/var/tmp")  # noqa: S108 - outlives a restart
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_uid != 0
    assert f"the data goes to {home}" in said
    assert f"data in {home})" in said
    shop.remember()
    ok(shop.down())
    state = shop.path / ".database" / "server.json"
    state.unlink()
    assert f"data in {home})" in ok(shop.up())
    assert shop.remembers()


@needs_root
@needs_postgresql
def test_root_serves_the_data_of_an_ordinary_user_as_that_user(
    shop: DevServerProject, root: User, make_project: MakeProject
) -> None:
    ok(shop.up())
    shop.remember()
    ok(shop.down())
    owner, shop.user = shop.user, root
    ok(shop.up())
    assert Path(f"/proc/{shop.pid}").stat().st_uid == owner.options["user"]
    assert shop.remembers()


def test_the_projects_make_targets_do_all_this(shop: DevServerProject) -> None:
    make = ("make", "--old-file=.venv/.installed")
    ok(shop.run(*make, "db-up"))
    assert "round trip" in ok(shop.run(*make, "db-test"))
    assert "stopped" in ok(shop.run(*make, "db-down"))
