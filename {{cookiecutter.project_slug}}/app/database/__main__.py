"""`python -m app.database test|reset|shell`, behind `make db-test`, `db-reset` and `db-shell`."""

import asyncio
import os
import sys

from sqlalchemy.exc import DBAPIError

from app.database.errors import DatabaseUnavailable, driver_error
from app.database.ping import ping
from app.database.reset import ResetRefused, reset
from app.database.shell import ShellUnavailable, shell
from app.database.url import app_database, migration_database
from app.settings import SettingsError, get_settings

COMMANDS = ("test", "reset", "shell")


def main(arguments: list[str]) -> str | None:
    """Run one command; returns what to print before exiting with 1, None for success."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        return f"usage: python -m app.database {'|'.join(COMMANDS)}"
    (command,) = arguments
    try:
        if command == "test":
            print(asyncio.run(ping(app_database())))
        elif command == "reset":
            confirm = os.environ.get("CONFIRM", "")
            print(asyncio.run(reset(migration_database(), confirm, get_settings().environment)))
        else:
            shell(app_database(), get_settings().database_url.get_secret_value())
    except (DatabaseUnavailable, ResetRefused, SettingsError, ShellUnavailable) as error:
        return f"db-{command}: {error}"
    except DBAPIError as error:  # whatever else a server says, without the statement
        return f"db-{command}: {' '.join(str(driver_error(error)).split())}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
