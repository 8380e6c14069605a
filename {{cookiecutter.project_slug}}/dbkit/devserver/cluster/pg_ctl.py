"""A PostgreSQL of our own, started from its programs: `postgres` is a child that we let go."""

import re
import signal
import subprocess
import time
from pathlib import Path

from dbkit.connection.url import DatabaseURL
from dbkit.devserver import Failure, probe
from dbkit.devserver.account import Account, environment
from dbkit.devserver.binaries import Binaries

PATIENCE = 60  # seconds to recover from a crash and answer
# Of a killed server, its other processes end a moment later, and hold the data until then.
ORPHANS = 15
STILL_HELD = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')
PORT_TAKEN = ("could not create any TCP/IP sockets", "could not bind")


class PortTaken(Exception):
    """Somebody was faster."""


def start(
    data: Path, binaries: Binaries, account: Account, database: DatabaseURL, mark: str
) -> None:
    """Start the server on `data` and wait until it answers.

    Raises:
        PortTaken: its port is not free after all.
        Failure: it ends, does not answer, or has another password than `.env`.
    """
    log = data.with_name("log")
    deadline = time.monotonic() + ORPHANS
    while True:
        process = _launch(log, data, binaries, account, database, mark)
        if _answers(process, database, mark):
            return
        said = _read(log)
        if any(text in said for text in PORT_TAKEN):
            raise PortTaken
        if time.monotonic() > deadline or not any(text in said for text in STILL_HELD):
            raise Failure(_last_words(said, log))
        time.sleep(0.3)


def _launch(
    log: Path, data: Path, binaries: Binaries, account: Account, database: DatabaseURL, mark: str
) -> "subprocess.Popen[bytes]":
    # Not through pg_ctl, which gives all this to a shell to read.
    settings = {
        "listen_addresses": str(database.url.host),
        "port": str(database.url.port),
        "cluster_name": mark,
        "unix_socket_directories": "",  # their paths may be too long, and TCP does
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            [
                str(binaries.bindir / "postgres"),
                *("-D", str(data)),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            cwd="/",
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **account.options,
        )


def _answers(process: "subprocess.Popen[bytes]", database: DatabaseURL, mark: str) -> bool:
    """Wait until the server answers: True; or has ended: False. Stop it where it is of no use."""
    deadline = time.monotonic() + PATIENCE
    reason = "the server does not answer"
    while process.poll() is None and time.monotonic() < deadline:
        answer = probe.ask(database)
        if isinstance(answer, probe.Running) and answer.mark == mark:
            return True
        if isinstance(answer, probe.Silent) and answer.refused_login:
            reason = password_refused(database)
            break
        time.sleep(0.03)
    try:  # if it was somebody else on the same port who refused, ours is about to end
        process.wait(timeout=0.5)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise Failure(reason) from None


def password_refused(database: DatabaseURL) -> str:
    """What to say if our own server does not take what `.env` says."""
    return (
        f"this project's server on {database.server} refuses the user or the password in .env: "
        "it keeps those that .env had when its data was made"
    )


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _last_words(said: str, log: Path) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\b(FATAL|PANIC|ERROR):", line)]
    line = (errors or lines or ["it ended without a word"])[-1]
    return f"PostgreSQL: {re.sub(r'^.*?(FATAL|PANIC|ERROR): +', '', line)} (all of it in {log})"
