"""The database that `make db-up` starts a server for: `.env` names it, on this machine."""

import os

from dbkit.connection import DatabaseURL, app_database
from dbkit.connection.admin import ADMIN
from dbkit.connection.development import is_loopback, read_database_url
from dbkit.connection.url import parse_database_url
from dbkit.devserver.env_file import replace_published_password, write_port
from dbkit.devserver.errors import DevServerError, NothingToDo
from dbkit.settings import get_settings


def find_development_database() -> DatabaseURL:
    """Return the PostgreSQL database to start a server for.

    Raises:
        NothingToDo: no server has to start: the database is SQLite, or it is elsewhere.
        DevServerError: the URL lacks what a new server needs.
        SettingsError: see `dbkit.settings`.
    """
    database = app_database()
    if get_settings().database_url.get_secret_value() != read_database_url():
        raise NothingToDo(
            f"DATABASE_URL in the environment points to {_describe(database)}, "
            "not to what .env names: nothing started"
        )
    if database.dialect == "sqlite":
        raise NothingToDo(f"SQLite ({database.name}): there is no server to start")
    if not is_loopback(database.url.host):  # the URL holds neither several hosts nor a socket
        raise NothingToDo(
            f"DATABASE_URL in .env points to {_describe(database)}, "
            "not to a TCP port of this machine: nothing started"
        )
    if not (database.name and database.url.username and database.url.password):
        raise DevServerError(
            "DATABASE_URL in .env needs a user, a password and a database for a new server: "
            "postgresql://user:password@127.0.0.1:5432/name"
        )
    if database.url.username == ADMIN:
        raise DevServerError(
            f"the user {ADMIN} in DATABASE_URL in .env is the server's superuser: name another one"
        )
    return database


def change_port(database: DatabaseURL, port: int) -> DatabaseURL:
    """Return the same database on another `port`, which is written to `.env` and announced."""
    old = database.url.port
    write_port(port)
    shell = " (unset DATABASE_URL in this shell, too)" if "DATABASE_URL" in os.environ else ""
    print(f"Port {old} is in use; DATABASE_URL in .env now says {port}{shell}", flush=True)
    return DatabaseURL(database.url.set(port=port), database.connect_args)


def change_password(database: DatabaseURL) -> DatabaseURL:
    """Return the same database with a new password, which is written to `.env` and announced.

    Raises:
        DevServerError: the password is not in `.env` alone.
    """
    if "DATABASE_URL" in os.environ:
        raise DevServerError(
            "the password of DATABASE_URL is published in .env.example: "
            "'unset DATABASE_URL', and db-up writes another one into .env"
        )
    replace_published_password()
    print("The password in .env was the one of .env.example; now it is one of its own", flush=True)
    return parse_database_url(read_database_url() or "")


def _describe(database: DatabaseURL) -> str:
    if database.dialect == "sqlite":
        return f"SQLite ({database.name})"
    return f"{database.server}, database {database.name or '(none)'}"
