"""Makes `.env`, and changes the password and the port of a URL in it."""

import os
import re
import secrets

from dotenv.parser import Binding, parse_stream

from dbkit import PROJECT
from dbkit.connection import libpq
from dbkit.connection.development import ENV_FILE, read_database_url
from dbkit.devserver.errors import DevServerError

EXAMPLE = PROJECT / ".env.example"
# No `@` stands behind the host: dbkit.connection.libpq refuses one there.
HOST_AND_PORT = re.compile(r"(?<=@)(?P<host>\[[^]]+\]|[^@/?:\[\]]+)(?::\d*)?(?=[/?]|$)(?!.*@)")


def make_env_file() -> str | None:
    """Make `.env` as `.env.example` says, with a password of its own; return the line to print.

    Nothing is made where there is one, or where the environment has the `DATABASE_URL`.

    Raises:
        DevServerError: there is no `.env.example` either.
    """
    if ENV_FILE.exists() or any(name.lower() == "database_url" for name in os.environ):
        return None
    if not EXAMPLE.exists():
        raise DevServerError(
            "there is neither .env nor .env.example: write a line into .env, "
            "DATABASE_URL=postgresql://user:password@127.0.0.1:5432/name"
        )
    text, login = EXAMPLE.read_bytes().decode(), _published_login()
    _write_private(_with_own_password(text, login) if login else text)
    return f"Made .env from .env.example{', with a password of its own' if login else ''}"


def has_published_password() -> bool:
    """Tell whether the password in `.env` is the one in `.env.example`, which everybody knows."""
    login = _published_login()
    return login is not None and f"//{login}@" in (read_database_url() or "")


def read_published_password() -> str | None:
    """Return the password in `.env.example`, None if there is none."""
    login = _published_login()
    return libpq.unquote(login.partition(":")[2]) if login else None


def replace_published_password() -> None:
    """Give `.env` a password of its own, in each URL that has this login.

    Raises:
        DevServerError: the URL is composed of other variables.
    """
    login = _published_login()
    if not login or not replace_login(login):
        raise DevServerError(
            "the password of DATABASE_URL in .env is published in .env.example: write another one"
        )


def replace_login(login: str) -> bool:
    """Give each URL in `.env` with this `user:password` a random password; tell if there is one."""
    text = ENV_FILE.read_bytes().decode()
    if f"//{login}@" not in text:
        return False
    _write_private(_with_own_password(text, login))
    return True


def write_port(port: int, variable: str = "DATABASE_URL") -> None:
    """Change the port of a URL in the file, and no other character.

    Raises:
        DevServerError: the URL is composed of other variables, or has its port elsewhere.
    """
    text = ENV_FILE.read_bytes().decode()
    with ENV_FILE.open(encoding="utf-8", newline="") as stream:
        bindings = list(parse_stream(stream))
    own = (binding for binding in reversed(bindings) if _is_of(binding, variable))
    found = next(own, None)
    value = found.value if found else None
    new_value, count = HOST_AND_PORT.subn(rf"\g<host>:{port}", value or "")
    if found is None or value is None or count != 1 or value not in found.original.string:
        raise DevServerError(
            f"the port of {variable} in .env is in use, and is written in a way that db-up "
            f"does not edit: write @127.0.0.1:{port}/ there"
        )
    head, tail = text.rsplit(found.original.string, 1)
    line = found.original.string.replace(value, new_value)
    ENV_FILE.write_bytes(f"{head}{line}{tail}".encode())


def _is_of(binding: Binding, variable: str) -> bool:
    return (binding.key or "").lower() == variable.lower()


def _published_login() -> str | None:
    """Return `user:password` of `.env.example`, as it is written there."""
    url = read_database_url(EXAMPLE) or ""
    parts = libpq.PARTS.fullmatch(url.partition("://")[2])
    is_server = url.startswith("postgres") and parts is not None and parts["password"]
    return f"{parts['user']}:{parts['password']}" if is_server and parts else None


def _with_own_password(text: str, login: str) -> str:
    """Return `text` with a random password in each URL that has `login`."""
    user = login.partition(":")[0]
    return text.replace(f"//{login}@", f"//{user}:{secrets.token_hex(16)}@")


def _write_private(text: str) -> None:
    """Write `.env` for its owner's eyes only."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(ENV_FILE, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text.encode())
