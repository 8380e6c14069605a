"""One Redis server: its configuration, found, started and stopped.

Its folder tells what is this project's: a server says in which folder it works, also after that was
moved, and the server of a copy works in another one.
"""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from dbkit.devserver.cluster import Account
from dbkit.devserver.errors import DevServerError
from dbkit.devserver.redis.address import Address
from dbkit.devserver.redis.programs import Program

TIMEOUT = 3  # seconds: what listens may be no Redis and never answer
START_TIMEOUT = STOP_TIMEOUT = 10
CONFIG, LOG, PID = "redis.conf", "log", "pid"
CONTENT = """\
# Written by `make db-up`, which reads it again: {provider}
bind {bind}
port {address.port}
requirepass {address.password}
save ""
appendonly no
daemonize yes
pidfile {PID}
logfile {LOG}
"""


@dataclass(frozen=True)
class Running:
    """A server that answers to the password of an address."""

    address: Address
    name: str  # and version
    folder: Path
    provider: str = ""


def connect(address: Address) -> "Redis":
    """Return a client that tries once."""
    return Redis(
        host=address.host,
        port=address.port,
        password=address.password,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def identify(address: Address, provider: str = "") -> Running | None:
    """Return what answers at an address; None if nothing does that takes its password."""
    try:
        with connect(address) as client:
            info = client.info("server")
            folder = client.config_get("dir")["dir"]
    except (RedisError, OSError):
        return None
    version = info.get("valkey_version") or info["redis_version"]
    name = "Valkey" if info.get("server_name") == "valkey" else "Redis"
    return Running(address, f"{name} {version}", Path(folder), provider)


def find_own(folder: Path) -> Running | None:
    """Return the server that works in `folder`, None if there is none.

    Raises:
        DevServerError: there is one, and it does not answer.
    """
    try:
        text = (folder / CONFIG).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    values = dict(re.findall(r"^(\w+) (\S+)", text, re.MULTILINE))
    address = Address(values["bind"], int(values["port"]), values["requirepass"])
    running = identify(address, text.partition("\n")[0].rpartition(" ")[2])
    if running is not None and _is_same(running.folder, folder):
        return running
    pid = find_process(folder)
    if pid is not None:
        raise DevServerError(
            f"this project's Redis (process {pid}) does not answer on {address}: 'kill -9 {pid}', "
            "then 'make db-up'"
        )
    return None


def find_process(folder: Path) -> int | None:
    """Return the process that works in `folder`; None also on a machine without /proc."""
    try:
        pid = int((folder / PID).read_text())
        return pid if Path(f"/proc/{pid}/cwd").samefile(folder) else None
    except (OSError, ValueError):
        return None


def start(folder: Path, program: Program, account: Account, address: Address) -> Running:
    """Start a server in `folder` and wait until it answers.

    Raises:
        DevServerError: the reason that its log gives.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    account.take_ownership(folder)
    bind = "127.0.0.1" if address.host == "localhost" else address.host
    content = CONTENT.format(
        provider=program.provider, bind=bind, address=address, PID=PID, LOG=LOG
    )
    for name, text in ((CONFIG, content), (LOG, "")):
        path = folder / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        account.take_ownership(path)
    result = account.run_program(program.path, CONFIG, folder=folder)
    deadline = time.monotonic() + START_TIMEOUT
    while result.returncode == 0 and time.monotonic() < deadline:
        running = identify(address, program.provider)
        if running is not None and _is_same(running.folder, folder):
            return running
        time.sleep(0.02)
    raise DevServerError(_last_error(result.stdout, folder / LOG))


def stop(running: Running) -> None:
    """Stop a server, which keeps nothing, and wait for its end. Raises `DevServerError`."""
    with connect(running.address) as client:
        client.shutdown(nosave=True)
    deadline = time.monotonic() + STOP_TIMEOUT
    while identify(running.address) or find_process(running.folder):
        if time.monotonic() > deadline:
            raise DevServerError(f"Redis on {running.address} does not stop")
        time.sleep(0.02)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # it is gone, or somebody else's
        return False


def _last_error(printed: str, log: Path) -> str:
    lines = (printed + log.read_text(encoding="utf-8", errors="replace")).splitlines()
    told = [line for line in lines if line.strip()] or ["it ended and gave no reason"]
    errors = [line for line in told if re.search("fail|error|could not", line, re.IGNORECASE)]
    line = re.sub(r"^\d+:\w .*?[.*#-] ", "", (errors or told)[-1])
    return f"Redis: {line} (all of it in {log})"
