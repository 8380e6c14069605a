"""Commands that check revisions and databases: `migrate-test`, `migration-check`."""

import argparse
import asyncio
from typing import Any

from dbkit import meter
from dbkit.cli.failures import one_line_failures


def add_commands(commands: Any) -> None:
    """Add the commands to the parser's."""
    text = "up, compare, down and up again, on a throwaway database"
    command = commands.add_parser("migrate-test", help=text, description=text)
    command.set_defaults(run=one_line_failures(run_round_trip))

    text = "refuse pending revisions, drift, models that differ, several heads, edited files"
    command = commands.add_parser("migration-check", help=text, description=text)
    command.set_defaults(run=one_line_failures(check))


def run_round_trip(_arguments: argparse.Namespace) -> str | None:
    """Run all revisions up, down and up again."""
    from dbkit.checks import check_round_trip
    from dbkit.connection import throwaway_home
    from dbkit.environment import load_options

    meter.log_to_stderr()
    return _result(asyncio.run(check_round_trip(throwaway_home(), load_options())))


def check(_arguments: argparse.Namespace) -> str | None:
    """Say what speaks against deploying this code on the configured database."""
    from dbkit.checks import check_deployment
    from dbkit.connection import migration_database, throwaway_home
    from dbkit.environment import load_options

    meter.log_to_stderr()
    database, home = migration_database(), throwaway_home()
    return _result(asyncio.run(check_deployment(database, home, load_options())))


def _result(problems: list[str]) -> str | None:
    if problems:
        return "FAILED: " + "; ".join(problems)
    print("ok: models and revisions agree, and nothing is pending")
    return None
