"""Commands that write and show revision files."""

import argparse
import asyncio
from typing import Any

from dbkit import meter
from dbkit.cli.alembic_command import run_alembic
from dbkit.cli.failures import one_line_failures


def add_commands(commands: Any) -> None:
    """Add the commands to the parser's."""
    text = "a new revision from the models' changes"
    command = commands.add_parser("migration", help=text, description=text)
    command.add_argument("message")
    command.set_defaults(run=generate)

    text = "a new, empty revision"
    command = commands.add_parser("migration-empty", help=text, description=text)
    command.add_argument("message")
    command.set_defaults(run=write_empty)

    text = "adopt a database that nothing manages: a first revision that builds it, proved"
    command = commands.add_parser("migration-baseline", help=text, description=text)
    command.add_argument("message", nargs="?", default="baseline")
    command.set_defaults(run=one_line_failures(adopt))

    text = "a revision that joins several heads"
    command = commands.add_parser("migration-merge", help=text, description=text)
    command.add_argument("message", nargs="?", default="merge heads")
    command.set_defaults(run=merge)

    text = "all revisions, the newest first"
    command = commands.add_parser("migration-history", help=text, description=text)
    command.set_defaults(run=show_all)

    text = "one revision"
    command = commands.add_parser("migration-show", help=text, description=text)
    command.add_argument("revision")
    command.set_defaults(run=show_one)


def generate(arguments: argparse.Namespace) -> None:
    """Compare the models with the revisions, and write what is missing."""
    run_alembic("revision", "--autogenerate", f"--message={arguments.message}")


def write_empty(arguments: argparse.Namespace) -> None:
    """Write a revision without a change."""
    run_alembic("revision", f"--message={arguments.message}")


def adopt(arguments: argparse.Namespace) -> None:
    """Write a first revision that builds exactly the configured database, and record it there."""
    from dbkit.adoption import adopt_database
    from dbkit.connection import migration_database, throwaway_home
    from dbkit.environment import load_options
    from dbkit.settings import get_settings

    meter.log_to_stderr()
    settings = get_settings()
    url = (settings.migration_database_url or settings.database_url).get_secret_value()
    message = arguments.message or "baseline"
    work = adopt_database(migration_database(), throwaway_home(), load_options(), url, message)
    print(asyncio.run(work))


def merge(arguments: argparse.Namespace) -> None:
    """Write a revision that comes after all heads."""
    run_alembic("merge", f"--message={arguments.message}", "heads")


def show_all(_arguments: argparse.Namespace) -> None:
    """Print a line for each revision."""
    run_alembic("history")


def show_one(arguments: argparse.Namespace) -> None:
    """Print what one revision is about."""
    run_alembic("show", "--", arguments.revision)
