"""`make db-up` and `make db-down` on real servers: PostgreSQL of this machine and of the package."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projects import ok, refusal
from servers import PostgresServer, bindir, free_port, running_server
from workplaces import (
    Somebody,
    Stub,
    Workplace,
    adopt,
    arguments_of_all_processes,
    kill,
    ordinary,
    public_folder,
    relay,
)

pytestmark = pytest.mark.slow

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
needs_postgresql = pytest.mark.skipif(bindir() is None, reason="no PostgreSQL on this machine")
Place = Callable[..., Workplace]


@pytest.fixture(scope="session")
def somebody() -> Iterator[Somebody]:
    """An ordinary user."""
    with public_folder() as folder:
        yield ordinary(folder)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Somebody:
    """Root, with the Python of these tests."""
    if os.geteuid() != 0:
        pytest.skip("not root")
    return Somebody(sys.executable, tmp_path_factory.mktemp("home"))


@pytest.fixture
def place(default_project: Path, somebody: Somebody) -> Iterator[Place]:
    """Factory of projects; their servers end with the test."""
    made: list[Workplace] = []
    with public_folder() as folder:

        def make(who: Somebody = somebody, name: str = "shop", inside: Path = folder) -> Workplace:
            made.append(adopt(default_project, inside / name, who))
            return made[-1]

        yield make
        for workplace in made:
            workplace.close()


@pytest.fixture
def shop(place: Place) -> Workplace:
    """A project of an ordinary user."""
    return place()


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


def remember(workplace: Workplace) -> None:
    """Put something into the database that has to stay."""
    workplace.sql("CREATE TABLE kept AS SELECT 42 AS answer")


def remembers(workplace: Workplace) -> bool:
    return workplace.sql("SELECT answer FROM kept") == [42]


# The three ways


@pytest.mark.parametrize("way", [pytest.param("system", marks=needs_postgresql), "wheel"])
@pytest.mark.parametrize("who", ["root", "somebody"])
def test_a_server_starts_in_both_ways_for_root_and_others_and_keeps_its_data(
    place: Place, request: pytest.FixtureRequest, who: str, way: str
) -> None:
    workplace = place(request.getfixturevalue(who))
    with arguments_of_all_processes() as arguments:
        said = lines(ok(workplace.up(DB_SERVER=way)))[-1]
    found = {"system": "found on this machine", "wheel": "from the Python package"}[way]
    assert re.fullmatch(
        rf"PostgreSQL \d\d\.\d+, {found}, answers on 127\.0\.0\.1:{workplace.port} "
        r"\(database shop_dev, data in \.database\)",
        said,
    )
    assert any("cluster_name" in text for text in arguments)
    assert not any(workplace.password in text for text in arguments)
    assert workplace.sql("SHOW cluster_name") == [workplace.mark()]
    assert workplace.sql("SHOW listen_addresses") == ["127.0.0.1"]
    remember(workplace)

    before = workplace.pid
    assert lines(ok(workplace.up()))[-1] == said  # and without DB_SERVER: it stays where it is
    assert workplace.pid == before

    assert "stopped" in ok(workplace.down())
    with pytest.raises(ConnectionRefusedError):
        workplace.sql("SELECT 1")
    assert "No server of this project runs" in ok(workplace.down())

    assert lines(ok(workplace.up()))[-1] == said
    assert remembers(workplace)


@needs_postgresql
def test_a_docker_that_has_no_compose_or_no_engine_is_passed_over_in_silence(shop: Workplace) -> None:
    docker = Stub(shop.path.parent / "bin", "docker", shop.somebody)
    docker.answer({"compose version": (0, "v2"), "info": (1, "no engine")})
    said = ok(shop.up(PATH=docker.path))
    assert "found on this machine" in said
    assert "docker" not in said.lower()
    assert [arguments for arguments, _ in docker.calls] == [["compose", "version"], ["info"]]
    shutil.rmtree(docker.folder)
    docker = Stub(docker.folder, "docker", shop.somebody)
    docker.answer({"info": (0, "")})
    script = "from scripts.database.docker import engine_answers; print(engine_answers())"
    assert ok(shop.run(shop.somebody.python, "-c", script, PATH=docker.path)) == "False\n"


ENGINE = {"compose version": (0, "v2"), "info": (0, ""), "compose port": (1, "not running")}


@pytest.fixture
def docker(shop: Workplace) -> Stub:
    """A Docker whose engine answers."""
    stub = Stub(shop.path.parent / "bin", "docker", shop.somebody)
    stub.answer(ENGINE)
    return stub


@pytest.fixture
def server_in_docker(shop: Workplace, docker: Stub) -> Iterator[PostgresServer]:
    """What `docker compose up` starts: a server with our mark, on our port once it was called."""
    secret = shop.path / ".database" / "mark"
    secret.parent.mkdir()
    secret.write_text("secret")
    shop.somebody.own(secret.parent, secret)

    server = PostgresServer(shop.path.parent / "docker", superuser="app", password=shop.password)
    server.settings["cluster_name"] = shop.mark()
    server.folder.mkdir()
    server.initialise()
    server.start()
    done = threading.Event()

    def publish() -> None:
        while not (docker.folder / "compose-up").exists():
            if done.wait(0.02):
                return
        with relay(server.port, shop.port):
            done.wait()

    thread = threading.Thread(target=publish)
    thread.start()
    docker.answer(ENGINE | {"compose up": (0, "")})
    yield server
    done.set()
    thread.join()
    server.stop()


@needs_postgresql
def test_docker_comes_first_where_its_engine_answers(
    shop: Workplace, docker: Stub, server_in_docker: PostgresServer
) -> None:
    said = ok(shop.up(PATH=docker.path, COMPOSE_FILE="/elsewhere.yaml"))
    assert re.search(
        rf"in Docker, answers on 127\.0\.0\.1:{shop.port} \(database shop_dev, data in a Docker volume\)",
        said,
    )
    assert server_in_docker.sql("SELECT datname FROM pg_database WHERE datname = 'shop_dev'")
    arguments, variables = next(call for call in docker.calls if call[0][:2] == ["compose", "up"])
    assert arguments == ["compose", "up", "--wait", "--wait-timeout", "60", "--detach", "database"]
    assert variables["POSTGRES_USER"] == "app"
    assert variables["POSTGRES_PASSWORD"] == shop.password
    assert variables["POSTGRES_DB"] == "shop_dev"
    assert variables["DATABASE_PORT"] == str(shop.port)
    assert variables["DATABASE_MARK"] == shop.mark()
    assert variables["COMPOSE_PROJECT_NAME"].startswith("my_service-")
    assert "COMPOSE_FILE" not in variables

    # It stays there: without its engine there is no second, empty database in its place.
    ok(shop.up(PATH=docker.path))
    assert sum(call[0][:2] == ["compose", "up"] for call in docker.calls) == 1
    docker.answer(ENGINE | {"compose port": (0, "127.0.0.1:5432"), "compose stop": (0, "")})
    assert "in Docker stopped" in ok(shop.down(PATH=docker.path))
    assert ["compose", "stop", "database"] in [arguments for arguments, _ in docker.calls]


@needs_postgresql
def test_data_that_is_in_docker_is_not_replaced_by_an_empty_database_elsewhere(
    shop: Workplace, docker: Stub, server_in_docker: PostgresServer
) -> None:
    ok(shop.up(PATH=docker.path))
    server_in_docker.stop()
    docker.answer({})
    said = refusal(shop.up(PATH=docker.path))
    assert "this project's data is in Docker, which does not answer" in said
    assert not (shop.path / ".database" / "data").exists()


@needs_postgresql
def test_a_docker_that_appears_later_does_not_hide_the_data_there_is(shop: Workplace) -> None:
    ok(shop.up())
    remember(shop)
    ok(shop.down())
    docker = Stub(shop.path.parent / "bin", "docker", shop.somebody)
    docker.answer(ENGINE | {"compose up": (0, "")})
    assert "found on this machine" in ok(shop.up(PATH=docker.path))
    assert remembers(shop)
    assert docker.calls == []


def test_a_compose_that_fails_is_quoted_in_one_line(shop: Workplace, docker: Stub) -> None:
    docker.answer(ENGINE | {"compose up": (1, "pulling\n\nmanifest unknown")})
    assert "docker compose: manifest unknown (DB_SERVER=system" in refusal(shop.up(PATH=docker.path))


def test_a_way_that_is_asked_for_and_not_there_is_a_line(shop: Workplace) -> None:
    docker = Stub(shop.path.parent / "bin", "docker", shop.somebody)
    assert "no Docker engine" in refusal(shop.up(DB_SERVER="docker", PATH=docker.path))
    assert "DB_SERVER is one of docker, system, wheel" in refusal(shop.up(DB_SERVER="podman"))
    assert not (shop.path / ".database" / "data").exists()


@needs_postgresql
def test_a_running_server_is_not_left_behind_for_another_way(shop: Workplace) -> None:
    ok(shop.up())
    assert "'make db-down' before DB_SERVER=wheel" in refusal(shop.up(DB_SERVER="wheel"))
    assert shop.sql("SELECT 1") == [1]


@needs_postgresql
def test_data_that_no_postgresql_here_can_read_is_named_and_left_alone(shop: Workplace) -> None:
    ok(shop.up())
    remember(shop)
    ok(shop.down())
    version = shop.data / "PG_VERSION"
    original = version.read_text()
    version.write_text("12\n")
    assert "PostgreSQL 12, whose data is in" in refusal(shop.up(DB_SERVER="system"))
    version.write_text(original)
    ok(shop.up())
    assert remembers(shop)


# Where there is nothing to start


def test_sqlite_needs_no_server(shop: Workplace) -> None:
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
    shop: Workplace, url: str, where: str
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
def test_a_server_that_is_not_a_port_of_this_machine_is_nothing_to_start(shop: Workplace, url: str) -> None:
    (shop.path / ".env").write_text(f"DATABASE_URL={url}\n")
    said = ok(shop.up())
    assert "nothing started" in said
    assert "s3cret" not in said


@needs_postgresql
def test_the_same_url_in_the_environment_and_in_env_is_the_same_server(shop: Workplace) -> None:
    url = f"postgresql+asyncpg://app:{shop.password}@127.0.0.1:{shop.port}/shop_dev?application_name=shop"
    assert "answers on" in ok(shop.up(DATABASE_URL=url))


def test_a_url_that_lacks_what_a_server_needs_is_refused(shop: Workplace) -> None:
    (shop.path / ".env").write_text("DATABASE_URL=postgresql://app@localhost/shop\n")
    assert "needs a user, a password and a database" in refusal(shop.up())


@needs_postgresql
def test_a_server_of_ones_own_that_env_has_the_password_of_is_left_alone(shop: Workplace) -> None:
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


# Ports


@needs_postgresql
def test_a_port_in_use_is_left_to_who_has_it_and_env_follows(shop: Workplace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody_else:
        taken = somebody_else.getsockname()[1]
        shop.write_env(taken, TEST_DATABASE_URL=f"postgresql://app@127.0.0.1:{taken}/tests")
        before = shop.env
        said = lines(ok(shop.up()))
        assert said[0] == f"Port {taken} is in use; DATABASE_URL in .env now says {shop.port}"
        assert shop.port != taken
        assert f"127.0.0.1:{shop.port} " in said[1]
        assert shop.env == before.replace(f":{taken}/shop_dev", f":{shop.port}/shop_dev")
        assert (shop.path / ".env").stat().st_mode & 0o777 == 0o600
        assert shop.sql("SELECT 1") == [1]
        port = shop.port
    ok(shop.up())
    assert shop.port == port


SPELLINGS = [
    "DATABASE_URL=postgresql://app:p%40ss@127.0.0.1:<5432>/d",
    "export DATABASE_URL='postgresql://app:p@ss:1@127.0.0.1:<5432>/d'",
    "DATABASE_URL=postgresql://app:p@ss:1/x@127.0.0.1:<5432>/d",
    "DATABASE_URL=postgres://app:pw@localhost:<5432>/d # at :5432 @ once",
    "A=1\r\nDATABASE_URL=postgresql://app:pw@127.0.0.1:<5432>/d\r\nB=2\r\n",
    "DATABASE_URL=sqlite://\nDATABASE_URL=postgresql://app:pw@[::1]:<5432>/d",
    "DATABASE_URL=postgresql://app:5432@127.0.0.1:<5432>/d5432",
    "DATABASE_URL=postgresql://a:b@[::1]:5432/d\nDATABASE_URL=postgresql://a:b@[::1]:<5432>/d\n",
]


def test_only_the_port_of_the_url_changes_however_env_is_written(shop: Workplace) -> None:
    for text in SPELLINGS:
        (shop.path / ".env").write_bytes(re.sub("[<>]", "", text).encode())
        script = "from scripts.database import env_file; env_file.write_port(6543)"
        ok(shop.run(shop.somebody.python, "-c", script))
        assert (shop.path / ".env").read_bytes().decode() == text.replace("<5432>", "6543")


@pytest.mark.long
@needs_postgresql
def test_a_port_that_cannot_be_edited_is_a_line_and_env_stays(shop: Workplace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody_else:
        taken = somebody_else.getsockname()[1]
        for text in (
            f"DB_PORT={taken}\nDATABASE_URL=postgresql://app:s3cret@127.0.0.1:${{DB_PORT}}/d\n",
            f'DATABASE_URL="postgresql://app:s3cret\\"@127.0.0.1:{taken}/d"\n',
        ):
            (shop.path / ".env").write_text(text)
            said = refusal(shop.up())
            assert "in a way that db-up does not edit" in said
            assert "s3cret" not in said
            assert shop.env == text


@pytest.mark.long
@needs_postgresql
def test_a_port_that_somebody_takes_at_the_last_moment_is_left_to_them(shop: Workplace) -> None:
    script = """if True:
        from scripts.database import __main__, port

        asked = []
        really = port.in_use
        port.in_use = lambda *where: really(*where) if asked else asked.append(where)
        raise SystemExit(__main__.main(["up"]))
    """
    with socket.create_server(("127.0.0.1", 0)) as somebody_else:
        taken = somebody_else.getsockname()[1]
        shop.write_env(taken)
        assert f"Port {taken} is in use" in ok(shop.run(shop.somebody.python, "-c", script))
        assert shop.sql("SELECT 1") == [1]
    shop.servers.add(shop.data)


@needs_postgresql
def test_two_projects_on_one_machine_never_meet(place: Place) -> None:
    one, two = place(name="one"), place(name="two")
    two.write_env(one.port)
    ok(one.up())
    remember(one)
    ok(two.up())
    assert one.port != two.port
    assert two.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == [0]
    assert one.mark() != two.mark()
    ok(two.down())
    assert remembers(one)


@needs_postgresql
def test_two_projects_that_start_at_once_with_the_same_port_both_run(place: Place) -> None:
    places = [place(name=name) for name in ("one", "two")]
    places[1].write_env(places[0].port)
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda p=p: results.append(p.up())) for p in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        ok(result)
    assert places[0].port != places[1].port
    assert [p.sql("SHOW cluster_name") for p in places] == [[p.mark()] for p in places]


@needs_postgresql
def test_a_project_that_is_started_twice_at_once_has_one_server(shop: Workplace) -> None:
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda: results.append(shop.up())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ok(results[0]) == ok(results[1])


# Copies and moves


@pytest.mark.long
@needs_postgresql
def test_a_copy_of_a_project_gets_a_server_and_a_mark_of_its_own(place: Place) -> None:
    shop = place()
    ok(shop.up())
    remember(shop)
    copy = Workplace(shop.path.parent / "copy", shop.somebody, shop.password)
    shutil.copytree(shop.path, copy.path, symlinks=True)
    shop.somebody.own(copy.path, *copy.path.rglob("*"))
    try:
        said = ok(copy.up())
        assert f"Port {shop.port} is in use" in said
        assert copy.port != shop.port
        assert copy.mark() != shop.mark()
        assert copy.pid != shop.pid
        secrets = [(p.path / ".database" / "mark").read_text() for p in (shop, copy)]
        assert secrets[0] != secrets[1]
        copy.sql("DROP TABLE IF EXISTS kept")
        assert remembers(shop)
    finally:
        copy.close()


@pytest.mark.long
@needs_postgresql
def test_a_project_that_moved_while_its_server_ran_gets_it_back_under_its_new_mark(place: Place) -> None:
    shop = place()
    ok(shop.up())
    remember(shop)
    old, port = shop.mark(), shop.port
    shop.path = shop.path.rename(shop.path.parent / "moved")
    assert shop.mark() != old
    assert "in use" not in ok(shop.up())
    assert shop.port == port
    assert shop.sql("SHOW cluster_name") == [shop.mark()]
    assert remembers(shop)


@needs_postgresql
@pytest.mark.parametrize("name", ["with space", "größe a'b\"c $HOME $(touch x)"], ids=["space", "all"])
def test_any_folder_will_do(place: Place, name: str) -> None:
    shop = place(name=name)
    ok(shop.up())
    assert shop.sql("SHOW cluster_name") == [shop.mark()]
    assert re.fullmatch(r"[!-~]{1,63}", shop.mark())
    assert "stopped" in ok(shop.down())


# Recovery


@needs_postgresql
def test_a_killed_server_is_started_again_with_its_data_when_its_orphans_are_gone(shop: Workplace) -> None:
    ok(shop.up())
    remember(shop)
    (orphan,) = shop.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    os.kill(orphan, signal.SIGSTOP)  # it still holds the data when its parent is gone
    os.kill(shop.pid, signal.SIGKILL)
    log = shop.path / ".database" / "log"
    threading.Thread(target=continue_later, args=(orphan, log)).start()
    assert "in use" not in ok(shop.up())
    assert remembers(shop)


def continue_later(pid: int, log: Path) -> None:
    """Let a process go on once a new server was refused because of it."""
    for _ in range(1000):
        if "pre-existing shared memory block" in log.read_text():
            break
        time.sleep(0.02)
    os.kill(pid, signal.SIGCONT)


@needs_postgresql
def test_a_pid_file_whose_number_belongs_to_another_process_by_now_is_removed(shop: Workplace) -> None:
    ok(shop.up())
    remember(shop)
    pid_file = shop.data / "postmaster.pid"
    text = pid_file.read_text()
    ok(shop.down())
    with subprocess.Popen(["sleep", "60"], **shop.somebody.options) as unrelated:
        pid_file.write_text(text.replace(text.split()[0], str(unrelated.pid), 1))
        pid_file.chmod(0o600)
        shop.somebody.own(pid_file)
        assert "No server of this project runs" in ok(shop.down())
        pid_file.write_text(text.replace(text.split()[0], str(unrelated.pid), 1))
        shop.somebody.own(pid_file)
        ok(shop.up())
        assert unrelated.poll() is None
        unrelated.kill()
    assert remembers(shop)


@needs_postgresql
def test_a_data_folder_that_was_never_finished_is_made_again(shop: Workplace) -> None:
    unfinished = shop.path / ".database" / "data.new" / "base"
    unfinished.mkdir(parents=True)
    shop.somebody.own(*(unfinished.parents[:2]), unfinished)
    ok(shop.up())
    assert not unfinished.exists()
    assert shop.sql("SELECT 1") == [1]


@needs_postgresql
def test_a_data_folder_that_holds_no_database_is_set_aside_and_not_deleted(shop: Workplace) -> None:
    half = shop.path / ".database" / "data"
    half.mkdir(parents=True)
    (half / "precious").write_text("kept")
    shop.somebody.own(half.parent, half)
    assert "is now data.incomplete-1" in ok(shop.up())
    assert (shop.path / ".database" / "data.incomplete-1" / "precious").read_text() == "kept"
    assert shop.sql("SELECT 1") == [1]


@pytest.mark.long
@needs_postgresql
def test_a_lost_or_broken_state_file_is_made_again(shop: Workplace) -> None:
    ok(shop.up())
    remember(shop)
    state = shop.path / ".database" / "server.json"
    before = state.read_text()
    for content in ("not JSON", '{"way": 1, "home": []}'):
        state.write_text(content)
        assert "found on this machine" in ok(shop.up())  # which runs, and is asked
        assert state.read_text() == before
    ok(shop.down())
    state.unlink()
    assert "found on this machine" in ok(shop.up())
    assert state.read_text() == before
    assert remembers(shop)


@pytest.mark.long
@needs_postgresql
def test_data_that_was_deleted_under_a_running_server_is_begun_anew(shop: Workplace) -> None:
    ok(shop.up())
    pid_file, taken = (shop.data / "postmaster.pid").read_text(), shop.port
    shutil.rmtree(shop.path / ".database")
    try:
        assert f"Port {taken} is in use" in ok(shop.up())
        assert shop.sql("SHOW cluster_name") == [shop.mark()]
    finally:
        kill(pid_file)  # in a minute it would have missed its data by itself


@needs_postgresql
def test_a_server_that_runs_is_not_stopped_for_what_env_asks_of_it(shop: Workplace) -> None:
    ok(shop.up())
    pid, env = shop.pid, shop.env
    (shop.path / ".env").write_text(env.replace("application_name=shop", "sslmode=require"))
    assert "rejected SSL upgrade" in refusal(shop.up())
    assert shop.pid == pid
    (shop.path / ".env").write_text(env)
    ok(shop.up())
    assert shop.pid == pid


@pytest.mark.long
@needs_postgresql
def test_a_server_that_is_slow_to_answer_is_waited_for(shop: Workplace) -> None:
    ok(shop.up())
    pid = shop.pid
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(7, os.kill, (pid, signal.SIGCONT)).start()  # two attempts are in vain
    ok(shop.up())
    assert shop.pid == pid


@pytest.mark.long
@needs_postgresql
def test_another_password_in_env_is_a_line_and_destroys_nothing(shop: Workplace) -> None:
    ok(shop.up())
    remember(shop)
    old, env = shop.password, shop.env
    (shop.path / ".env").write_text(env.replace(old, "another"))
    assert "refuses the user or the password in .env" in refusal(shop.up())
    assert remembers(shop)  # it still runs
    ok(shop.down())
    assert "refuses the user or the password in .env" in refusal(shop.up())
    (shop.path / ".env").write_text(env)
    ok(shop.up())
    assert remembers(shop)


@needs_postgresql
def test_a_database_that_was_dropped_is_created_again(shop: Workplace) -> None:
    ok(shop.up())
    shop.sql("DROP DATABASE shop_dev", database="postgres")
    ok(shop.up())
    assert shop.sql("SELECT current_database()") == ["shop_dev"]


@needs_postgresql
def test_another_port_in_env_moves_the_running_server(shop: Workplace) -> None:
    ok(shop.up())
    remember(shop)
    shop.write_env(free_port())
    ok(shop.up())
    assert remembers(shop)


@needs_postgresql
def test_a_server_that_cannot_start_says_why_in_one_line(shop: Workplace) -> None:
    ok(shop.up())
    ok(shop.down())
    with (shop.data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    assert "configuration file" in refusal(shop.up())


# Root


@pytest.fixture
def private(root: Somebody) -> Iterator[Path]:
    """A folder that only root can enter, as its home is."""
    with public_folder() as folder:
        folder.chmod(0o700)
        yield folder


@needs_root
@pytest.mark.parametrize("way", [pytest.param("system", marks=needs_postgresql), "wheel"])
def test_in_a_folder_that_only_root_can_enter_the_data_goes_elsewhere_and_is_found_again(
    place: Place, root: Somebody, private: Path, way: str
) -> None:
    shop = place(root, inside=private)
    said = ok(shop.up(DB_SERVER=way))
    home = shop.data.parent
    assert home.parent == Path("/var/tmp")  # noqa: S108 - outlives a restart
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_uid != 0
    assert f"the data goes to {home}" in said
    assert f"data in {home})" in said
    remember(shop)
    ok(shop.down())
    state = shop.path / ".database" / "server.json"
    state.unlink()
    assert f"data in {home})" in ok(shop.up())
    assert remembers(shop)


@pytest.mark.long
@needs_root
@needs_postgresql
def test_data_elsewhere_that_was_deleted_is_missed_and_begun_anew(
    place: Place, root: Somebody, private: Path
) -> None:
    shop = place(root, inside=private)
    ok(shop.up())
    ok(shop.down())
    shutil.rmtree(shop.data.parent)
    assert f"{shop.data.parent} is gone; a new, empty one is made" in ok(shop.up())
    assert shop.sql("SELECT 1") == [1]


@needs_root
@needs_postgresql
def test_root_serves_the_data_of_an_ordinary_user_as_that_user(
    shop: Workplace, root: Somebody, place: Place
) -> None:
    ok(shop.up())
    remember(shop)
    ok(shop.down())
    owner, shop.somebody = shop.somebody, root
    ok(shop.up())
    assert Path(f"/proc/{shop.pid}").stat().st_uid == owner.options["user"]
    assert remembers(shop)


def test_the_projects_make_targets_do_all_this(shop: Workplace) -> None:
    make = ("make", "--old-file=.venv/.installed")
    ok(shop.run(*make, "db-up"))
    assert "round trip" in ok(shop.run(*make, "db-test"))
    assert "stopped" in ok(shop.run(*make, "db-down"))
