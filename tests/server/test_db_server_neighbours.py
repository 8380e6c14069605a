"""`make db-up` beside others: ports that are in use, other projects, copies and moves of this one."""

import re
import shutil
import socket
import subprocess
import threading

import pytest

from support.devserver_project import DevServerProject, MakeProject, needs_postgresql
from support.projects import ok, refusal
from support.servers import free_port

pytestmark = pytest.mark.slow


@needs_postgresql
def test_a_port_in_use_is_left_to_who_has_it_and_env_follows(shop: DevServerProject) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody_else:
        taken = somebody_else.getsockname()[1]
        shop.write_env(taken, TEST_DATABASE_URL=f"postgresql://app@127.0.0.1:{taken}/tests")
        before = shop.env
        said = ok(shop.up()).splitlines()
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


def test_only_the_port_of_the_url_changes_however_env_is_written(shop: DevServerProject) -> None:
    for text in SPELLINGS:
        (shop.path / ".env").write_bytes(re.sub("[<>]", "", text).encode())
        script = "from dbkit.devserver import env_file; env_file.write_port(6543)"
        ok(shop.run(shop.user.python, "-c", script))
        assert (shop.path / ".env").read_bytes().decode() == text.replace("<5432>", "6543")


@pytest.mark.long
@needs_postgresql
def test_a_port_that_cannot_be_edited_is_a_line_and_env_stays(shop: DevServerProject) -> None:
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
def test_a_port_that_somebody_takes_at_the_last_moment_is_left_to_them(shop: DevServerProject) -> None:
    script = """if True:
        from dbkit.cli import devserver
        from dbkit.devserver.cluster import port

        asked = []
        really = port.in_use
        port.in_use = lambda *where: really(*where) if asked else asked.append(where)
        raise SystemExit(devserver.start_database(None))
    """
    with socket.create_server(("127.0.0.1", 0)) as somebody_else:
        taken = somebody_else.getsockname()[1]
        shop.write_env(taken)
        assert f"Port {taken} is in use" in ok(shop.run(shop.user.python, "-c", script))
        assert shop.sql("SELECT 1") == [1]
    shop.servers.add(shop.data)


@needs_postgresql
def test_two_projects_on_one_machine_never_meet(make_project: MakeProject) -> None:
    one, two = make_project(name="one"), make_project(name="two")
    two.write_env(one.port)
    ok(one.up())
    one.remember()
    ok(two.up())
    assert one.port != two.port
    assert two.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == [0]
    assert one.mark() != two.mark()
    ok(two.down())
    assert one.remembers()


@needs_postgresql
def test_two_projects_that_start_at_once_with_the_same_port_both_run(make_project: MakeProject) -> None:
    projects = [make_project(name=name) for name in ("one", "two")]
    projects[1].write_env(projects[0].port)
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda p=p: results.append(p.up())) for p in projects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        ok(result)
    assert projects[0].port != projects[1].port
    assert [p.sql("SHOW cluster_name") for p in projects] == [[p.mark()] for p in projects]


@needs_postgresql
def test_a_project_that_is_started_twice_at_once_has_one_server(shop: DevServerProject) -> None:
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda: results.append(shop.up())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ok(results[0]) == ok(results[1])


@pytest.mark.long
@needs_postgresql
def test_a_copy_of_a_project_gets_a_server_and_a_mark_of_its_own(make_project: MakeProject) -> None:
    shop = make_project()
    ok(shop.up())
    shop.remember()
    copy = DevServerProject(shop.path.parent / "copy", shop.user, shop.password)
    shutil.copytree(shop.path, copy.path, symlinks=True)
    shop.user.own(copy.path, *copy.path.rglob("*"))
    try:
        said = ok(copy.up())
        assert f"Port {shop.port} is in use" in said
        assert copy.port != shop.port
        assert copy.mark() != shop.mark()
        assert copy.pid != shop.pid
        secrets = [(p.path / ".database" / "mark").read_text() for p in (shop, copy)]
        assert secrets[0] != secrets[1]
        copy.sql("DROP TABLE IF EXISTS kept")
        assert shop.remembers()
    finally:
        copy.close()


@pytest.mark.long
@needs_postgresql
def test_a_project_that_moved_while_its_server_ran_gets_it_back_under_its_new_mark(
    make_project: MakeProject,
) -> None:
    shop = make_project()
    ok(shop.up())
    shop.remember()
    old, port = shop.mark(), shop.port
    shop.path = shop.path.rename(shop.path.parent / "moved")
    assert shop.mark() != old
    assert "in use" not in ok(shop.up())
    assert shop.port == port
    assert shop.sql("SHOW cluster_name") == [shop.mark()]
    assert shop.remembers()


@needs_postgresql
def test_another_port_in_env_moves_the_running_server(shop: DevServerProject) -> None:
    ok(shop.up())
    shop.remember()
    shop.write_env(free_port())
    ok(shop.up())
    assert shop.remembers()
