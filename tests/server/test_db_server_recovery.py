"""`make db-up` after something went wrong: servers killed, files lost, settings changed. No data is lost."""

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support.devserver_project import DevServerProject, MakeProject, User, kill, needs_postgresql, needs_root
from support.projects import ok, refusal

pytestmark = pytest.mark.slow


@needs_postgresql
def test_data_that_no_postgresql_here_can_read_is_named_and_left_alone(shop: DevServerProject) -> None:
    ok(shop.up())
    shop.remember()
    ok(shop.down())
    version = shop.data / "PG_VERSION"
    original = version.read_text()
    version.write_text("12\n")
    assert "PostgreSQL 12, whose data is in" in refusal(shop.up(DB_SERVER="system"))
    version.write_text(original)
    ok(shop.up())
    assert shop.remembers()


@needs_postgresql
def test_a_killed_server_is_started_again_with_its_data_when_its_orphans_are_gone(
    shop: DevServerProject,
) -> None:
    ok(shop.up())
    shop.remember()
    (orphan,) = shop.admin_sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    os.kill(orphan, signal.SIGSTOP)  # it still holds the data when its parent is gone
    os.kill(shop.pid, signal.SIGKILL)
    log = shop.path / ".database" / "log"
    threading.Thread(target=continue_later, args=(orphan, log)).start()
    assert "in use" not in ok(shop.up())
    assert shop.remembers()


def continue_later(pid: int, log: Path) -> None:
    """Let a process go on once a new server was refused because of it."""
    for _ in range(1000):
        if "pre-existing shared memory block" in log.read_text():
            break
        time.sleep(0.02)
    os.kill(pid, signal.SIGCONT)


@needs_postgresql
def test_a_pid_file_whose_number_belongs_to_another_process_by_now_is_removed(shop: DevServerProject) -> None:
    ok(shop.up())
    shop.remember()
    pid_file = shop.data / "postmaster.pid"
    text = pid_file.read_text()
    ok(shop.down())
    with subprocess.Popen(["sleep", "60"], **shop.user.options) as unrelated:
        pid_file.write_text(text.replace(text.split()[0], str(unrelated.pid), 1))
        pid_file.chmod(0o600)
        shop.user.own(pid_file)
        assert "No server of this project runs" in ok(shop.down())
        pid_file.write_text(text.replace(text.split()[0], str(unrelated.pid), 1))
        shop.user.own(pid_file)
        ok(shop.up())
        assert unrelated.poll() is None
        unrelated.kill()
    assert shop.remembers()


@needs_postgresql
def test_a_data_folder_that_was_never_finished_is_made_again(shop: DevServerProject) -> None:
    unfinished = shop.path / ".database" / "data.new" / "base"
    unfinished.mkdir(parents=True)
    shop.user.own(*(unfinished.parents[:2]), unfinished)
    ok(shop.up())
    assert not unfinished.exists()
    assert shop.sql("SELECT 1") == [1]


@needs_postgresql
def test_a_data_folder_that_holds_no_database_is_set_aside_and_not_deleted(shop: DevServerProject) -> None:
    half = shop.path / ".database" / "data"
    half.mkdir(parents=True)
    (half / "precious").write_text("kept")
    shop.user.own(half.parent, half)
    assert "is now data.incomplete-1" in ok(shop.up())
    assert (shop.path / ".database" / "data.incomplete-1" / "precious").read_text() == "kept"
    assert shop.sql("SELECT 1") == [1]


@pytest.mark.long
@needs_postgresql
def test_a_lost_or_broken_state_file_is_made_again(shop: DevServerProject) -> None:
    ok(shop.up())
    shop.remember()
    state = shop.path / ".database" / "server.json"
    before = state.read_text()
    for content in ("not JSON", '{"provider": 1, "outside": []}'):
        state.write_text(content)
        assert "found on this machine" in ok(shop.up())  # which runs, and is asked
        assert state.read_text() == before
    ok(shop.down())
    state.unlink()
    assert "found on this machine" in ok(shop.up())
    assert state.read_text() == before
    assert shop.remembers()


@pytest.mark.long
@needs_postgresql
def test_data_that_was_deleted_under_a_running_server_is_begun_anew(shop: DevServerProject) -> None:
    ok(shop.up())
    pid_file, taken = (shop.data / "postmaster.pid").read_text(), shop.port
    shutil.rmtree(shop.path / ".database")
    try:
        assert f"Port {taken} is in use" in ok(shop.up())
        assert shop.sql("SHOW cluster_name") == [shop.mark()]
    finally:
        kill(pid_file)  # in a minute it would have missed its data by itself


@needs_postgresql
def test_a_server_that_runs_is_not_stopped_for_what_env_asks_of_it(shop: DevServerProject) -> None:
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
def test_a_server_that_is_slow_to_answer_is_waited_for(shop: DevServerProject) -> None:
    ok(shop.up())
    pid = shop.pid
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(7, os.kill, (pid, signal.SIGCONT)).start()  # after two attempts have failed
    ok(shop.up())
    assert shop.pid == pid


@needs_postgresql
def test_a_database_that_was_dropped_is_created_again(shop: DevServerProject) -> None:
    ok(shop.up())
    shop.sql("DROP DATABASE shop_dev", database="postgres")
    ok(shop.up())
    assert shop.sql("SELECT current_database()") == ["shop_dev"]


@needs_postgresql
def test_a_server_that_cannot_start_says_why_in_one_line(shop: DevServerProject) -> None:
    ok(shop.up())
    ok(shop.down())
    with (shop.data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    assert "configuration file" in refusal(shop.up())


@pytest.mark.long
@needs_root
@needs_postgresql
def test_data_elsewhere_that_was_deleted_is_missed_and_begun_anew(
    make_project: MakeProject, root: User, private: Path
) -> None:
    shop = make_project(root, inside=private)
    ok(shop.up())
    ok(shop.down())
    shutil.rmtree(shop.data.parent)
    assert f"{shop.data.parent} is gone; a new, empty one is made" in ok(shop.up())
    assert shop.sql("SELECT 1") == [1]
