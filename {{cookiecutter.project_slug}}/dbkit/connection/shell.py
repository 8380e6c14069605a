"""The database's own programs, in place of this process; no password in their arguments."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import quote, unquote

from dbkit.connection import libpq
from dbkit.connection.libpq_options import CACHES
from dbkit.connection.mark import STATE_FOLDER
from dbkit.connection.url import DatabaseURL

# Not libpq's: asyncpg's and SQLAlchemy's, or none of an argument's business.
LEFT_OUT = {*CACHES, "command_timeout", "password", "sslpassword"}


# Those of PostgreSQL that take a database by --dbname.
CLIENTS = ("pg_dump", "pg_restore", "psql")


class ShellUnavailable(Exception):
    """There is no such program. Its text is one line."""


def open_shell(database: DatabaseURL, text: str) -> NoReturn:
    """Become `psql` or `sqlite3` on `database`, of which `text` is the URL as configured.

    Raises:
        ShellUnavailable: the program is not there.
    """
    if database.dialect == "sqlite":
        _replace_this_process(_sqlite(database.name), {})
    url, password = libpq_url(text)
    environment = {"PGPASSWORD": password} if password else {}
    _replace_this_process([_psql(), url], {"PGCONNECT_TIMEOUT": "10"} | environment)


def run_client(
    program: str, arguments: Sequence[str], database: DatabaseURL, text: str
) -> NoReturn:
    """Become one of `CLIENTS` on `database`, of which `text` is the URL as configured.

    Raises:
        ShellUnavailable: the program is not there, or the database is none of PostgreSQL's.
    """
    if database.dialect == "sqlite":
        raise ShellUnavailable(f"{program} is PostgreSQL's, and the database is an SQLite file")
    command, variables = client_command(_find_client(program), arguments, text)
    _replace_this_process(command, variables)


def client_command(
    path: str, arguments: Sequence[str], text: str
) -> tuple[list[str], dict[str, str]]:
    """Return the command of a program of `CLIENTS` on the database of the URL `text`.

    Returns:
        The command, and the variables of the environment that it needs in addition.
    """
    url, password = libpq_url(text)
    return [path, f"--dbname={url}", *arguments], {"PGPASSWORD": password} if password else {}


def open_admin_shell(admin: DatabaseURL) -> NoReturn:
    """Become `psql` as the superuser of this project's own server: see `find_admin`.

    Raises:
        ShellUnavailable: the program is not there.
    """
    address = {
        "PGHOST": admin.url.host,
        "PGHOSTADDR": "",
        "PGPORT": str(admin.url.port or libpq.DEFAULT_PORT),
        "PGUSER": admin.url.username,
        "PGDATABASE": admin.name,
        "PGPASSWORD": admin.url.password,
    }
    known = {name: value for name, value in address.items() if value is not None}
    _replace_this_process([_psql()], {"PGCONNECT_TIMEOUT": "10"} | known)


def libpq_url(text: str) -> tuple[str, str | None]:
    """A `DATABASE_URL` that was understood → libpq's form of it, and the password apart.

    Everybody on a machine can read the arguments of its processes.
    """
    parts = libpq.PARTS.fullmatch(text.strip().partition("://")[2])
    if parts is None:
        raise ShellUnavailable("DATABASE_URL is not understood")
    password = parts["password"]
    options = []
    for pair in filter(None, (parts["query"] or "").split("&")):
        name, _, value = pair.partition("=")
        if unquote(name) == "password":
            password = value
        if unquote(name) not in LEFT_OUT:
            options.append(f"sslmode={value}" if name == "ssl" else pair)
    user = f"{_encoded(parts['user'])}@" if parts["user"] else ""
    url = f"postgresql://{user}{parts['hosts']}/{_encoded(parts['database'] or '')}"
    return url + ("?" + "&".join(options) if options else ""), unquote(password or "") or None


def _encoded(part: str) -> str:
    return quote(unquote(part), safe="")


def _psql() -> str:
    return _find_client("psql")


def _find_client(program: str) -> str:
    return find_clients(program)[0]


def find_clients(program: str) -> list[str]:
    """Return where a program of PostgreSQL is: on PATH, and among those of the development server.

    Raises:
        ShellUnavailable: it is nowhere.
    """
    paths = (shutil.which(program), shutil.which(program, path=_bindir_of_db_up()))
    found = [path for path in paths if path is not None]
    if not found:
        raise ShellUnavailable(f"{program} is not there: install PostgreSQL's client")
    return found


def _bindir_of_db_up() -> str:
    """Where the programs of the development server are, which may include psql."""
    try:
        content = json.loads((STATE_FOLDER / "server.json").read_text(encoding="utf-8"))
        return str(content["bindir"] or "")
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _sqlite(path: str) -> list[str]:
    found = shutil.which("sqlite3")
    if found:
        return [found, path]
    if sys.version_info >= (3, 12):
        return [sys.executable, "-m", "sqlite3", path]
    raise ShellUnavailable("sqlite3 is not there: install it, or Python 3.12 or later")


def _replace_this_process(command: list[str], variables: dict[str, str]) -> NoReturn:
    os.execvpe(command[0], command, os.environ | variables)  # noqa: S606 - on purpose
