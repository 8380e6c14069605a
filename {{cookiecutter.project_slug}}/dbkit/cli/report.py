"""The command `migration-report`: revisions and runs as one page of HTML."""

import argparse
import asyncio
from typing import Any

from dbkit import PROJECT, meter
from dbkit.cli.failures import one_line_failures

PAGE = "build/migration-report.html"  # of one database at one moment: git ignores the folder


def add_commands(commands: Any) -> None:
    """Add the command to the parser's."""
    text = f"revisions, runs, failures and drift as one page: {PAGE}"
    command = commands.add_parser("migration-report", help=text, description=text)
    command.set_defaults(run=one_line_failures(write))


def write(_arguments: argparse.Namespace) -> None:
    """Write the page, also of a database that cannot be read, and say in a line what it shows."""
    from dbkit.connection import migration_database
    from dbkit.environment import load_options
    from dbkit.files import write_file
    from dbkit.report import gather, render

    meter.log_to_stderr()
    content = asyncio.run(gather(migration_database(), load_options()))
    write_file(PROJECT / PAGE, render(content))
    print(f"wrote {PAGE}: {content.summary}")
