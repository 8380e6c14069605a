"""The command line, `python -m dbkit`: a file for each group of commands."""

import argparse
import os
import sys
from collections.abc import Sequence

from dbkit import signals
from dbkit.cli import (
    checks,
    database,
    devserver,
    diagram,
    migrations,
    report,
    revisions,
    scaffold,
    version,
)


def main(arguments: Sequence[str] | None = None) -> int | str | None:
    """Run one command.

    Returns:
        What `sys.exit` takes: None for success, otherwise a status, or a line for stderr.
    """
    parser = argparse.ArgumentParser(
        prog="python -m dbkit",
        description="The commands of the Makefile that concern databases.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    for group in (
        *(devserver, database, diagram, revisions, migrations, report, checks, scaffold, version),
    ):
        group.add_commands(commands)
    parsed = parser.parse_args(arguments)
    signals.end_like_ctrl_c()
    # What is printed stands before the line of a failure, also in a file: that goes to stderr.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(line_buffering=True)
    try:
        result: int | str | None = parsed.run(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return "interrupted; run it again"
    except BrokenPipeError:  # of `| head`; a check that was cut off must not look like a success
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return result
