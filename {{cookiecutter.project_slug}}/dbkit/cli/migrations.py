"""Commands that execute revisions, and that show what was executed."""

import argparse
import asyncio
from typing import Any

from dbkit.cli.alembic_command import run_alembic
from dbkit.cli.failures import one_line_failures


def add_commands(commands: Any) -> None:
    """Add the commands to the parser's."""
    text = "apply revisions, up to REV (head)"
    command = commands.add_parser("migrate", help=text, description=text)
    command.add_argument("revision", nargs="?", default="head", metavar="REV")
    command.set_defaults(
        run=lambda arguments: run_alembic("upgrade", "--", arguments.revision or "head")
    )

    text = "revert revisions, down to REV (-1)"
    command = commands.add_parser("migration-down", help=text, description=text)
    command.add_argument("revision", nargs="?", default="-1", metavar="REV")
    command.set_defaults(
        run=lambda arguments: run_alembic("downgrade", "--", arguments.revision or "-1")
    )

    text = "record REV as applied without running it; what differs wants CONFIRM=<database>"
    command = commands.add_parser("migration-stamp", help=text, description=text)
    command.add_argument("revision", metavar="REV")
    command.set_defaults(
        run=lambda arguments: run_alembic("stamp", "--", arguments.revision, confirm_stamp=True)
    )

    text = "where the database stands"
    command = commands.add_parser("migration-current", help=text, description=text)
    command.set_defaults(run=lambda _arguments: run_alembic("current"))

    text = "what ran on this database: when, by whom, how it ended"
    command = commands.add_parser("migration-log", help=text, description=text)
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=one_line_failures(show_log))

    text = "the SQL up to REV (head), or of the way from:to"
    command = commands.add_parser("migration-sql", help=text, description=text)
    command.add_argument("revision", nargs="?", default="head", metavar="REV")
    command.set_defaults(run=one_line_failures(show_sql))


def show_log(arguments: argparse.Namespace) -> None:
    """Print the history of the database."""
    from dbkit.connection import migration_database
    from dbkit.history import read_history, report
    from dbkit.locking import reading

    async def read() -> list[Any]:
        database = migration_database().for_reading()
        async with reading(database) as connection:
            return await connection.run_sync(read_history)

    rows = asyncio.run(read())
    print(report.as_json(rows) if arguments.json else report.as_table(rows))


def show_sql(arguments: argparse.Namespace) -> None:
    """Print the SQL of an upgrade, or of the way `from:to`, which may lead up or down."""
    from alembic import command
    from alembic.util import CommandError

    from dbkit.config import alembic_config

    config = alembic_config()
    begin, colon, end = arguments.revision.partition(":")
    if colon and not (begin and end):
        raise CommandError("REV is a revision, or two of them: from:to")
    if end and not _leads_up(begin, end):
        command.downgrade(config, arguments.revision, sql=True)
    else:
        command.upgrade(config, arguments.revision, sql=True)


def _leads_up(begin: str, end: str) -> bool:
    from dbkit.revisions import scripts, with_ancestors

    if begin == "base":
        return True
    if end == "base" or end.startswith("-"):
        return False
    lower, upper = scripts().get_revision(begin), scripts().get_revision(end)
    return lower is not upper and lower.revision in with_ancestors(scripts(), [upper.revision])
