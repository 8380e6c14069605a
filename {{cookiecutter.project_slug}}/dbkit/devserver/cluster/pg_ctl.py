"""Start the server with `pg_ctl`: https://www.postgresql.org/docs/current/app-pg-ctl.html.

`pg_ctl` hands its paths and options to a shell, which would run what a folder called `$(touch x)`
says. It is therefore started in the server's folder, and given relative paths. It does not wait
for the orphans of a killed server; this module does. It cannot be trusted to find and stop a
server; `dbkit.devserver.cluster.process` does that.
"""

import re
import shlex
import time
from pathlib import Path

from dbkit.connection import DatabaseURL
from dbkit.devserver.cluster.account import Account
from dbkit.devserver.cluster.process import find_server
from dbkit.devserver.cluster.programs import Programs
from dbkit.devserver.errors import DevServerError

START_TIMEOUT = 60  # seconds, which include the recovery from a crash
# When a server was killed, its other processes end a moment later, and hold the data until then.
ORPHANS_TIMEOUT = 15
# A transaction that drops 1,000 tables holds a lock on each, its indexes and what belongs to it.
# https://www.postgresql.org/docs/current/runtime-config-locks.html
LOCKS = "512"
# The SQLSTATE of a start that they prevent, which the log shows before the severity.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
LOCK_FILE_EXISTS = re.compile(r" F0001 FATAL: ")


class ServerExited(DevServerError):
    """The server ended while it was starting. The text is its reason."""


def start_server(
    data: Path, programs: Programs, account: Account, database: DatabaseURL, mark: str
) -> None:
    """Start the server on `data` and wait until it accepts connections.

    Raises:
        ServerExited: it does not start.
        DevServerError: it has started, but accepts no connections in time.
    """
    log = data.with_name("log")
    deadline = time.monotonic() + ORPHANS_TIMEOUT
    while not _run_pg_ctl(log, data, programs, account, database, mark):
        if find_server(data) is not None:
            raise DevServerError(
                f"PostgreSQL accepts no connections after {START_TIMEOUT} seconds, perhaps because "
                f"it recovers from a crash: type 'make db-up' again (its log is {log})"
            )
        text = log.read_text(encoding="utf-8", errors="replace")
        if time.monotonic() > deadline or not LOCK_FILE_EXISTS.search(text):
            raise ServerExited(_last_error(text, log))
        time.sleep(0.3)


def _run_pg_ctl(
    log: Path, data: Path, programs: Programs, account: Account, database: DatabaseURL, mark: str
) -> bool:
    """Run `pg_ctl start` once; return whether the server accepts connections."""
    settings = {
        "listen_addresses": str(database.url.host),
        "port": str(database.url.port),
        "cluster_name": mark,
        "unix_socket_directories": "",  # their paths may be too long, and TCP is enough
        "log_line_prefix": "%m [%p] %e ",
        "max_locks_per_transaction": LOCKS,
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log.touch(mode=0o600)
    log.chmod(0o600)  # it may show statements, and with them rows
    log.write_bytes(b"")
    account.take_ownership(log)
    folder, postgres = data.parent, programs.bindir / "postgres"
    if postgres.is_relative_to(folder):
        postgres = postgres.relative_to(folder)
    return (
        account.run_program(
            programs.bindir / "pg_ctl",
            "start",
            "--wait",
            f"--timeout={START_TIMEOUT}",
            f"--pgdata={data.name}",
            f"--log={log.name}",
            f"--options={shlex.join(options)}",
            *("-p", postgres),
            folder=folder,
        ).returncode
        == 0
    )


def _last_error(text: str, log: Path) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\b(FATAL|PANIC|ERROR):", line)]
    line = (errors or lines or ["it ended and gave no reason"])[-1]
    return f"PostgreSQL: {re.sub(r'^.*?(FATAL|PANIC|ERROR): +', '', line)} (all of it in {log})"
