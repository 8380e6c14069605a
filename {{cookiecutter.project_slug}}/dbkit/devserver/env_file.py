"""Changes the port of `DATABASE_URL` in the file `.env`."""

import re

from dotenv.parser import Binding, parse_stream

from dbkit.connection.development import ENV_FILE
from dbkit.devserver.errors import DevServerError

# No `@` stands behind the host: dbkit.connection.libpq refuses one there.
HOST_AND_PORT = re.compile(r"(?<=@)(?P<host>\[[^]]+\]|[^@/?:\[\]]+)(?::\d*)?(?=[/?]|$)(?!.*@)")


def write_port(port: int) -> None:
    """Change the port of `DATABASE_URL` in the file, and no other character.

    Raises:
        DevServerError: the URL is composed of other variables, or has its port elsewhere.
    """
    text = ENV_FILE.read_bytes().decode()
    with ENV_FILE.open(encoding="utf-8", newline="") as stream:
        bindings = list(parse_stream(stream))
    found = next((binding for binding in reversed(bindings) if _is_database_url(binding)), None)
    value = found.value if found else None
    new_value, count = HOST_AND_PORT.subn(rf"\g<host>:{port}", value or "")
    if found is None or value is None or count != 1 or value not in found.original.string:
        raise DevServerError(
            "the port of DATABASE_URL in .env is in use, and is written in a way that db-up "
            f"does not edit: write @127.0.0.1:{port}/ there"
        )
    head, tail = text.rsplit(found.original.string, 1)
    line = found.original.string.replace(value, new_value)
    ENV_FILE.write_bytes(f"{head}{line}{tail}".encode())


def _is_database_url(binding: Binding) -> bool:
    return (binding.key or "").lower() == "database_url"
