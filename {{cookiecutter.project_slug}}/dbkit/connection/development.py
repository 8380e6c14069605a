"""The address at which `make db-up` starts this project's own development server."""

import ipaddress
from pathlib import Path

from dotenv import dotenv_values

from dbkit import PROJECT
from dbkit.connection.url import DatabaseURL, DatabaseURLError, parse_database_url
from dbkit.settings import get_settings

ENV_FILE = PROJECT / ".env"


def read_database_url(file: Path = ENV_FILE) -> str | None:
    """Return the value of `DATABASE_URL` in `.env`, or a file like it; None if there is none."""
    values = dotenv_values(file, encoding="utf-8")
    return next((v for name, v in values.items() if name.lower() == "database_url"), None)


def is_development_server(database: DatabaseURL) -> bool:
    """Tell whether `make db-up` would start a server at the address of `database`.

    It does so for the `DATABASE_URL` of `.env`, unless the environment says another one.
    """
    try:
        text = read_database_url()
        if text is None or text != get_settings().database_url.get_secret_value():
            return False
        own = parse_database_url(text)
    except (DatabaseURLError, OSError, UnicodeDecodeError):
        return False
    return is_loopback(own.url.host) and own.server == database.server


def is_loopback(host: str | None) -> bool:
    """Tell whether `host` is this machine; None stands for several hosts, and for a socket."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
