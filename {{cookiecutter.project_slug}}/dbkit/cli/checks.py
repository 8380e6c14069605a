"""Commands that check revisions and databases: `migrate-test`, `migration-check`."""

import argparse
import asyncio
import sys
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any

from dbkit import meter
from dbkit.cli.failures import one_line_failures
from dbkit.memory import no_garbage_collection

if TYPE_CHECKING:
    from dbkit.checks import Report


def add_commands(commands: Any) -> None:
    """Add the commands to the parser's."""
    text = "up, compare, down and up again, on a throwaway database"
    command = commands.add_parser("migrate-test", help=text, description=text)
    command.add_argument("--from", dest="begin", default="", metavar="REV", help="begin after it")
    command.set_defaults(run=one_line_failures(run_round_trip))

    text = "refuse pending revisions, drift, models that differ, several heads, edited files"
    command = commands.add_parser("migration-check", help=text, description=text)
    command.add_argument("--json", action="store_true", help="one JSON object on stdout")
    command.set_defaults(run=check)


def run_round_trip(arguments: argparse.Namespace) -> str | None:
    """Run all revisions up, down and up again."""
    from dbkit.checks import check_round_trip
    from dbkit.connection import throwaway_home
    from dbkit.environment import load_options

    meter.log_to_stderr()
    problems = asyncio.run(check_round_trip(throwaway_home(), load_options(), arguments.begin))
    return _result(problems)


def check(arguments: argparse.Namespace) -> str | None:
    """Say what speaks against deploying this code on the configured database.

    With `--json`, stdout is one object and nothing else, also where the check itself fails: what
    is printed for people goes to stderr, with the line of the failure behind it.
    """
    from dbkit.checks import Report
    from dbkit.checks.report import FAILED

    report = Report()
    run = one_line_failures(lambda _arguments: _check(report))
    with redirect_stdout(sys.stderr) if arguments.json else nullcontext():
        failure = run(arguments)
    if failure is not None and not report.is_complete:
        reason = failure.removeprefix("FAILED: ")
        if reason != failure:  # not interrupted
            failure = f"FAILED: {report.describe_end(reason)}"
        report.add(FAILED, [reason])
    if arguments.json:
        print(report.as_json())
    return failure


def _check(report: "Report") -> str | None:
    from dbkit.checks import check_deployment
    from dbkit.connection import migration_database, throwaway_home
    from dbkit.environment import load_options

    meter.log_to_stderr()
    database, home = migration_database(), throwaway_home()
    with no_garbage_collection(ends_process=True):
        asyncio.run(check_deployment(database, home, load_options(), report))
    report.is_complete = True
    return _result(report.messages)


def _result(problems: list[str]) -> str | None:
    if problems:
        return "FAILED: " + "; ".join(problems)
    print("ok: models and revisions agree, and nothing is pending")
    return None
