"""The command `db-diagram`: the models as a document and a picture."""

import argparse
from typing import Any

from dbkit import PROJECT
from dbkit.cli.failures import one_line_failures

DOCUMENT, PICTURE = "docs/schema.md", "docs/schema.svg"


def add_commands(commands: Any) -> None:
    """Add the command to the parser's."""
    text = f"the models as {DOCUMENT}, with a Mermaid diagram; {PICTURE} where dot is installed"
    command = commands.add_parser("db-diagram", help=text, description=text)
    command.set_defaults(run=one_line_failures(write))


def write(_arguments: argparse.Namespace) -> str | None:
    """Write the files, each only if it says something else; no database is asked."""
    from sqlalchemy.exc import SQLAlchemyError

    from dbkit.connection import migration_database
    from dbkit.diagram import describe, draw, read_tables
    from dbkit.environment import load_options
    from dbkit.errors import error_text
    from dbkit.metadata import load_metadata

    database = migration_database()
    try:
        tables = read_tables(load_metadata(load_options()), database.url.get_dialect()())
    except SQLAlchemyError as error:
        return f"FAILED: the models: {error_text(error)}"
    _write(DOCUMENT, describe(tables, database.dialect))
    picture = draw(tables)
    if picture is None:
        print(f"{PICTURE} was not drawn: install Graphviz, which has the program dot")
    else:
        _write(PICTURE, picture)
    return None


def _write(name: str, text: str) -> None:
    from dbkit.files import write_file

    print(f"wrote {name}" if write_file(PROJECT / name, text) else f"{name} is up to date")
