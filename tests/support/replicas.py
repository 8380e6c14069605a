"""A streaming replica of a server of the tests' own, and its promotion."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.processes import wait_until
from support.servers import PostgresServer, account, running_server

# As a primary has it that loses no commit, and as a replica has it that is soon back.
SETTINGS = {"synchronous_commit": "on", "full_page_writes": "on", "wal_retrieve_retry_interval": "200ms"}


@contextmanager
def running_pair(*, synchronous: bool = False) -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """Start a primary and its replica.

    Args:
        synchronous: a commit waits until the replica has it on its disk.
    """
    with (
        running_server(lambda server: server.settings.update(SETTINGS)) as primary,
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder,
    ):
        replica = PostgresServer(Path(folder), password=primary.password, settings=dict(SETTINGS))
        copy(primary, replica)
        replica.start()
        try:
            if synchronous:
                primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                primary.execute("SELECT pg_reload_conf()")
            seen = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
            wait_until(lambda: primary.sql(seen) == ("sync" if synchronous else "async"))
            yield primary, replica
        finally:
            replica.stop()


def copy(primary: PostgresServer, replica: PostgresServer) -> None:
    """Make the data of a replica: https://www.postgresql.org/docs/current/app-pgbasebackup.html."""
    who = account()
    if who:
        os.chown(replica.folder, who["user"], who["group"])
    command: list[str | Path] = [
        primary.programs / "pg_basebackup",
        "-d",
        primary.url(),
        "-D",
        replica.data,
    ]
    options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    subprocess.run([*command, *options], check=True, capture_output=True, cwd="/", **who)


def promote(server: PostgresServer) -> None:
    """Let a replica become the primary, and wait until it is."""
    command: list[str | Path] = [server.programs / "pg_ctl", "promote", "-D", server.data]
    subprocess.run(command, check=True, capture_output=True, cwd="/", **account())


def url_of_all(database: str, *servers: PostgresServer, options: str = "") -> str:
    """Return one URL that names a database on several servers."""
    hosts = ",".join(f"{server.host}:{server.port}" for server in servers)
    first = servers[0]
    return first.url(database).replace(f"@{first.host}:{first.port}/", f"@{hosts}/") + options


def in_step(primary: PostgresServer, replica: PostgresServer) -> None:
    """Wait until the replica shows all that the primary has."""
    position = primary.sql("SELECT pg_current_wal_lsn()")
    wait_until(lambda: replica.sql(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") == "t")
