"""The command `model`: a new resource in the style of the example."""

import argparse
from typing import Any

from dbkit.cli.failures import one_line_failures


def add_commands(commands: Any) -> None:
    """Add the command to the parser's."""
    text = "a new resource: model, schemas, endpoints and tests"
    command = commands.add_parser("model", help=text, description=text)
    command.add_argument("name")
    command.add_argument("fields", nargs="?", default="")
    command.set_defaults(run=one_line_failures(write))


def write(arguments: argparse.Namespace) -> str | None:
    """Write the files, and print them and what to type next."""
    from dbkit.environment import load_options
    from dbkit.metadata import load_metadata
    from dbkit.scaffold import ScaffoldError, write_resource

    try:
        files = write_resource(arguments.name, arguments.fields, load_metadata(load_options()))
    except ScaffoldError as error:
        return f"FAILED: {error}"
    for file in files:
        print(f"wrote {file}")
    print(f'next: make migration MSG="add {arguments.name}", make migrate, make check')
    return None
