"""PgBouncer before the tests' PostgreSQL: in transaction mode each transaction may get another session."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.servers import PATIENCE, PostgresServer, account, free_port

CONFIG = """\
[databases]
* = host={server.host} port={server.port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = {mode}
{more}
default_pool_size = 8
max_client_conn = 400
logfile = {folder}/log
pidfile =
"""


def program() -> str:
    """Where PgBouncer is; Debian puts it where only root's PATH leads."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("no PgBouncer on this machine (Debian's package pgbouncer)")
    return found


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running_pooler(server: PostgresServer, mode: str = "transaction", more: str = "") -> Iterator[int]:
    """The port of a new PgBouncer before `server`; its superuser may use every database.

    Args:
        mode: for how long it lends a session: `transaction` or `session`.
        more: lines for its configuration.
    """
    command = program()
    with tempfile.TemporaryDirectory(prefix="pooler-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        config = CONFIG.format(server=server, folder=folder, port=port, mode=mode, more=more)
        (folder / "config").write_text(config)
        (folder / "users").write_text(f'"{server.superuser}" "{server.password}"\n')
        who = account()  # it refuses root as PostgreSQL does
        for path in (folder, *folder.iterdir()):
            if who:
                os.chown(path, who["user"], who["group"])
        process = subprocess.Popen(
            [command, "--quiet", folder / "config"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **who,
        )
        log = folder / "log"
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(port):
                said = log.read_text() if log.exists() else "nothing was logged"
                assert process.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()  # at once, whoever is connected
            process.wait(PATIENCE)
