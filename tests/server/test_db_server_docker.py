"""`make db-up` where there is Docker, which a program stands in for: none runs where these tests do."""

import re
import shutil
import threading
from collections.abc import Iterator

import pytest

from support.devserver_project import DevServerProject, needs_postgresql
from support.projects import ok, refusal
from support.servers import PostgresServer
from support.stubs import Stub, relay

pytestmark = pytest.mark.slow


@needs_postgresql
def test_a_docker_that_has_no_compose_or_no_engine_is_passed_over_in_silence(shop: DevServerProject) -> None:
    docker = Stub(shop.path.parent / "bin", "docker", shop.user)
    docker.answer({"compose version": (0, "v2"), "info": (1, "no engine")})
    said = ok(shop.up(PATH=docker.path))
    assert "found on this machine" in said
    assert "docker" not in said.lower()
    assert [arguments for arguments, _ in docker.calls] == [["compose", "version"], ["info"]]
    shutil.rmtree(docker.folder)
    docker = Stub(docker.folder, "docker", shop.user)
    docker.answer({"info": (0, "")})
    script = "from dbkit.devserver.providers.docker import engine_answers; print(engine_answers())"
    assert ok(shop.run(shop.user.python, "-c", script, PATH=docker.path)) == "False\n"


ENGINE = {"compose version": (0, "v2"), "info": (0, ""), "compose port": (1, "not running")}
RUNNING = ENGINE | {"compose up": (0, ""), "compose stop": (0, "")}


@pytest.fixture
def docker(shop: DevServerProject) -> Stub:
    """A Docker whose engine answers."""
    stub = Stub(shop.path.parent / "bin", "docker", shop.user)
    stub.answer(ENGINE)
    return stub


@pytest.fixture
def server_in_docker(shop: DevServerProject, docker: Stub) -> Iterator[PostgresServer]:
    """What `docker compose up` starts: a server with our mark, on our port once it was called."""
    folder = shop.path / ".database"
    folder.mkdir()
    for name in ("mark", "admin"):
        (folder / name).write_text(f"secret-{name}")
        shop.user.own(folder, folder / name)

    server = PostgresServer(shop.path.parent / "docker", superuser="dbkit_admin", password="secret-admin")
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
    docker.answer(RUNNING | {"compose port": (0, f"127.0.0.1:{shop.port}")})
    yield server
    done.set()
    thread.join()
    server.stop()


@needs_postgresql
def test_docker_comes_first_where_its_engine_answers(
    shop: DevServerProject, docker: Stub, server_in_docker: PostgresServer
) -> None:
    said = ok(shop.up(PATH=docker.path, COMPOSE_FILE="/elsewhere.yaml"))
    assert re.search(
        rf"in Docker, answers on 127\.0\.0\.1:{shop.port} \(database shop_dev, data in a Docker volume\)",
        said,
    )
    assert server_in_docker.sql("SELECT datname FROM pg_database WHERE datname = 'shop_dev'")
    arguments, variables = next(call for call in docker.calls if call[0][:2] == ["compose", "up"])
    assert arguments == ["compose", "up", "--wait", "--wait-timeout", "60", "--detach", "database"]
    # The superuser of a new volume; the role of .env is none, and owns its database.
    assert variables["POSTGRES_USER"] == "dbkit_admin"
    assert variables["POSTGRES_PASSWORD"] == "secret-admin"
    assert variables["POSTGRES_DB"] == "postgres"
    assert shop.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'app'") == [False]
    assert shop.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop_dev'") == ["app"]
    assert variables["DATABASE_PORT"] == str(shop.port)
    assert variables["DATABASE_MARK"] == shop.mark()
    assert variables["COMPOSE_PROJECT_NAME"].startswith("my_service-")
    assert "COMPOSE_FILE" not in variables

    # It stays there: without its engine there is no second, empty database in its place.
    ok(shop.up(PATH=docker.path))
    assert sum(call[0][:2] == ["compose", "up"] for call in docker.calls) == 1
    assert "in Docker stopped" in ok(shop.down(PATH=docker.path))
    assert ["compose", "stop", "database"] in [arguments for arguments, _ in docker.calls]


@needs_postgresql
def test_another_password_in_env_restarts_no_container(
    shop: DevServerProject, docker: Stub, server_in_docker: PostgresServer
) -> None:
    ok(shop.up(PATH=docker.path))
    shop.remember()
    (shop.path / ".env").write_text(shop.env.replace(shop.password, "another-one"))
    shop.password = "another-one"
    ok(shop.up(PATH=docker.path))
    assert shop.remembers()
    # A volume that an older db-up made has no other superuser, and only its password is taken.
    server_in_docker.sql("ALTER ROLE dbkit_admin PASSWORD 'unknown'")
    (shop.path / ".env").write_text(shop.env.replace(shop.password, "a-third"))
    said = refusal(shop.up(PATH=docker.path))
    assert "refuses the user or the password in .env" in said
    name = "my_service-[0-9a-f]{16}"
    assert re.search(f"'docker rm --force {name}-database-1', 'docker volume rm {name}_database'", said)
    assert sum(call[0][:2] == ["compose", "up"] for call in docker.calls) == 1


@needs_postgresql
def test_data_that_is_in_docker_is_not_replaced_by_an_empty_database_elsewhere(
    shop: DevServerProject, docker: Stub, server_in_docker: PostgresServer
) -> None:
    ok(shop.up(PATH=docker.path))
    server_in_docker.stop()
    docker.answer({})
    said = refusal(shop.up(PATH=docker.path))
    assert "this project's data is in Docker, which does not answer" in said
    assert not (shop.path / ".database" / "data").exists()


@needs_postgresql
def test_a_docker_that_appears_later_does_not_hide_the_data_there_is(shop: DevServerProject) -> None:
    ok(shop.up())
    shop.remember()
    ok(shop.down())
    docker = Stub(shop.path.parent / "bin", "docker", shop.user)
    docker.answer(ENGINE | {"compose up": (0, "")})
    assert "found on this machine" in ok(shop.up(PATH=docker.path))
    assert shop.remembers()
    assert docker.calls == []


def test_a_compose_that_fails_is_quoted_in_one_line(shop: DevServerProject, docker: Stub) -> None:
    docker.answer(ENGINE | {"compose up": (1, "pulling\n\nmanifest unknown")})
    assert "docker compose: manifest unknown (DB_SERVER=system" in refusal(shop.up(PATH=docker.path))


def test_a_way_that_is_asked_for_and_not_there_is_a_line(shop: DevServerProject) -> None:
    docker = Stub(shop.path.parent / "bin", "docker", shop.user)
    assert "no Docker engine" in refusal(shop.up(DB_SERVER="docker", PATH=docker.path))
    assert "DB_SERVER is one of docker, system, wheel" in refusal(shop.up(DB_SERVER="podman"))
    assert not (shop.path / ".database" / "data").exists()
