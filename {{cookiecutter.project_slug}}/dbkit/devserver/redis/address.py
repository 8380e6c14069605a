"""The address at which `make db-up` starts Redis: `REDIS_URL` in `.env`, on this machine."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from redis.connection import parse_url

from dbkit.connection.development import ENV_FILE, is_loopback
from dbkit.devserver.cluster import port
from dbkit.devserver.env_file import EXAMPLE, replace_login, write_port
from dbkit.devserver.errors import DevServerError, NothingToDo

VARIABLE = "REDIS_URL"
FORM = "redis://:password@127.0.0.1:6379/0"
# They mean nothing in a URL, in Redis's configuration, or in a shell.
PASSWORD = re.compile(r"[A-Za-z0-9._~-]+")


@dataclass(frozen=True)
class Address:
    """Where a server listens, and its password."""

    host: str
    port: int
    password: str

    def __str__(self) -> str:
        """Return what may be shown."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def find_address() -> Address:
    """Return the address for a server of this project.

    Raises:
        NothingToDo: Redis is elsewhere.
        DevServerError: `REDIS_URL` is missing, or lacks what a new server needs.
    """
    url, elsewhere = _read(ENV_FILE), _read_environment()
    if elsewhere and elsewhere != url:
        raise NothingToDo(f"{VARIABLE} in the environment is not the one of .env: no Redis started")
    if not url:
        raise DevServerError(f"{VARIABLE} is not set: write {VARIABLE}={FORM} into .env")
    parts = _parse(url)
    host = str(parts.get("host", "localhost"))
    if not url.startswith("redis://") or not is_loopback(host):
        raise NothingToDo(
            f"{VARIABLE} in .env does not point to a TCP port of this machine: no Redis started"
        )
    password = str(parts.get("password", ""))
    if not PASSWORD.fullmatch(password) or parts.get("username", "default") != "default":
        raise DevServerError(
            f"{VARIABLE} in .env needs a password of letters and digits, and no user, for a new "
            f"server: {FORM}"
        )
    return Address(host, int(parts.get("port", 6379)), password)


def with_own_password(address: Address) -> Address:
    """Return the same address; if its password is published in `.env.example`, with another one."""
    example = _read(EXAMPLE)
    published = str(_parse(example).get("password", "")) if example else ""
    if address.password != published:
        return address
    if _read_environment() or not replace_login(f":{published}"):
        raise DevServerError(
            f"the password of {VARIABLE} is published in .env.example: write another one into .env"
        )
    return find_address()


def with_free_port(address: Address) -> Address:
    """Return the same address at a port that is free, which is written to `.env` and announced."""
    if not port.in_use(address.host, address.port):
        return address
    free = port.find_free(address.host, address.port)
    write_port(free, VARIABLE)
    print(f"Port {address.port} is in use; {VARIABLE} in .env now says {free}", flush=True)
    return Address(address.host, free, address.password)


def _parse(url: str) -> dict[str, Any]:
    try:
        return dict(parse_url(url))  # type: ignore[no-untyped-call]
    except ValueError:
        raise DevServerError(f"{VARIABLE} is no URL such as {FORM}") from None


def _read(file: Path) -> str | None:
    values = dotenv_values(file, encoding="utf-8")
    return next((value for name, value in values.items() if name.upper() == VARIABLE), None)


def _read_environment() -> str | None:
    return next((text for name, text in os.environ.items() if name.upper() == VARIABLE), None)
