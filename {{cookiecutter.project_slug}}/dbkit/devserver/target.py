"""Which database `make db-up` is about: the one that `.env` names, on this machine."""

import ipaddress
import os

from dbkit.connection.url import DatabaseURL, app_database
from dbkit.devserver import Failure, NothingToDo, env_file
from dbkit.settings import get_settings


def development_database() -> DatabaseURL:
    """The PostgreSQL database to start a server for.

    Raises:
        NothingToDo: there is none to start: SQLite, or a server elsewhere.
        Failure: the URL lacks what a new server needs.
        SettingsError: see `dbkit.settings`.
    """
    database = app_database()
    if get_settings().database_url.get_secret_value() != env_file.database_url():
        raise NothingToDo(
            f"DATABASE_URL in the environment points to {_described(database)}, "
            "not to what .env names: nothing started"
        )
    if database.dialect == "sqlite":
        raise NothingToDo(f"SQLite ({database.name}): there is no server to start")
    if not _is_loopback(database.url.host):  # several hosts and sockets are not in the URL
        raise NothingToDo(
            f"DATABASE_URL in .env points to {_described(database)}, "
            "not to a TCP port of this machine: nothing started"
        )
    if not (database.name and database.url.username and database.url.password):
        raise Failure(
            "DATABASE_URL in .env needs a user, a password and a database for a new server: "
            "postgresql://user:password@127.0.0.1:5432/name"
        )
    return database


def _described(database: DatabaseURL) -> str:
    if database.dialect == "sqlite":
        return f"SQLite ({database.name})"
    return f"{database.server}, database {database.name or '(none)'}"


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def port_moved(database: DatabaseURL, port: int) -> DatabaseURL:
    """The same database on another `port`, which is written to `.env` and announced."""
    old = database.url.port
    env_file.write_port(port)
    shell = " (unset DATABASE_URL in this shell, too)" if "DATABASE_URL" in os.environ else ""
    print(f"Port {old} is in use; DATABASE_URL in .env now says {port}{shell}", flush=True)
    return DatabaseURL(database.url.set(port=port), database.connect_args)
