"""Commands on the configured database: `db-test`, `db-reset`, `db-shell`, `db-client`."""

import argparse
import asyncio
import os
from collections.abc import Callable
from typing import Any

from dbkit.errors import DatabaseUnavailable, SettingsError


def add_commands(commands: Any) -> None:
    """Add the commands to the parser's."""
    for name, run, text in (
        ("db-test", show_connection, "connect; print server, version, round-trip time"),
        ("db-reset", reset, "drop, create and migrate"),
        ("db-shell", open_shell, "psql or sqlite3 on the configured database"),
        ("db-client", run_client, "pg_dump, pg_restore or psql where migrations run"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=_one_line_errors(name, run))
        if name == "db-reset":
            confirm = os.environ.get("CONFIRM", "")
            command.add_argument("--confirm", default=confirm, help="its name, if it is not ours")
        if name == "db-client":
            command.add_argument("program", help="it is given the database and its password")
            command.add_argument("arguments", nargs=argparse.REMAINDER)
        if name == "db-shell":
            command.add_argument("--admin", action="store_true", help="as superuser of our server")


def _one_line_errors(
    name: str, run: Callable[[argparse.Namespace], str | None]
) -> Callable[[argparse.Namespace], str | None]:
    def command(arguments: argparse.Namespace) -> str | None:
        from sqlalchemy.exc import DBAPIError

        from dbkit.connection.admin import AdminUnavailable
        from dbkit.connection.reset import ResetRefused
        from dbkit.connection.shell import ShellUnavailable
        from dbkit.errors import error_text

        try:
            return run(arguments)
        except (
            AdminUnavailable,
            DatabaseUnavailable,
            ResetRefused,
            SettingsError,
            ShellUnavailable,
        ) as error:
            return f"{name}: {error}"
        except DBAPIError as error:  # whatever else a server says, without the statement
            return f"{name}: {error_text(error)}"

    return command


def show_connection(_arguments: argparse.Namespace) -> None:
    """Print which server it is, and how far away."""
    from dbkit.connection import app_database
    from dbkit.connection.ping import ping

    print(asyncio.run(ping(app_database())))


def reset(arguments: argparse.Namespace) -> str | None:
    """Drop and create the database, and migrate it. Nothing is dropped if that could not work."""
    from dbkit.cli.alembic_command import check_files, run_alembic
    from dbkit.connection import migration_database
    from dbkit.connection.reset import reset_database
    from dbkit.settings import get_settings

    if failure := check_files():
        return failure
    environment = get_settings().environment
    print(asyncio.run(reset_database(migration_database(), arguments.confirm, environment)))
    run_alembic("upgrade", "heads")
    return None


def open_shell(arguments: argparse.Namespace) -> None:
    """Become the database's own command line."""
    from dbkit.connection import app_database
    from dbkit.connection.admin import find_admin
    from dbkit.connection.shell import open_admin_shell, open_shell
    from dbkit.settings import get_settings

    if arguments.admin:
        open_admin_shell(asyncio.run(find_admin(app_database())))
    open_shell(app_database(), get_settings().database_url.get_secret_value())


def run_client(arguments: argparse.Namespace) -> None:
    """Become one of PostgreSQL's programs, on the database that migrations use."""
    from dbkit.connection import migration_database
    from dbkit.connection.shell import CLIENTS, ShellUnavailable, run_client
    from dbkit.settings import get_settings

    if arguments.program not in CLIENTS:
        raise ShellUnavailable(f"it runs {', '.join(CLIENTS)}, and nothing else")
    settings = get_settings()
    url = settings.migration_database_url or settings.database_url
    run_client(arguments.program, arguments.arguments, migration_database(), url.get_secret_value())
