"""Calls Alembic's own command line, whose output stays what scripts for Alembic expect."""

import sys

from dbkit import PROJECT

ALEMBICS_FAILURE = -1  # which a shell shows as 255


def run_alembic(*arguments: str, confirm_stamp: bool = False) -> None:
    """Run one of Alembic's commands; a failure is printed behind `FAILED:` and ends the process.

    Args:
        confirm_stamp: whether a stamp that is not true, as far as that can be compared, wants the
            name of the database in `CONFIRM`.
    """
    from alembic.config import CommandLine, Config
    from alembic.util import CommandError

    from dbkit.config import CONFIRM_STAMP, escape_folder
    from dbkit.errors import error_text, location_of
    from dbkit.revisions.errors import missing_parent

    command_line = CommandLine(prog="alembic")
    options = command_line.parser.parse_args(arguments)
    config = Config(PROJECT / "alembic.ini", cmd_opts=options)
    escape_folder(config)
    config.attributes[CONFIRM_STAMP] = confirm_stamp
    executes = arguments[0] in ("upgrade", "downgrade", "stamp", "current")
    try:
        command_line.run_cmd(config, options)
    except (Exception, SystemExit) as error:  # Alembic itself prints its own errors alone
        location = location_of(error, PROJECT / "alembic")
        if parent := missing_parent(error):
            sys.exit(f"FAILED: {parent}")
        if location is None:
            if isinstance(error, SystemExit) and error.code == ALEMBICS_FAILURE:
                sys.exit(1)
            raise
        sys.exit(f"FAILED: alembic/{location}: {error_text(error)}")
    if executes:
        from dbkit.environment import check_has_run

        try:
            check_has_run()
        except CommandError as error:
            sys.exit(f"FAILED: {error}")


def check_files() -> str | None:
    """Read `env.py` and every revision file; return a line if one of them cannot be read."""
    from alembic.util import CommandError

    from dbkit.environment import load_options
    from dbkit.revisions import scripts

    try:
        load_options()
        scripts()
    except CommandError as error:
        return f"FAILED: {error}"
    return None
