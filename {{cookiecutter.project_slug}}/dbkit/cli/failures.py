"""Foreseeable failures of a command, as one line on stderr."""

import argparse
from collections.abc import Callable


def one_line_failures(
    run: Callable[[argparse.Namespace], str | None],
) -> Callable[[argparse.Namespace], str | None]:
    """Return `run` with its foreseeable failures as a line to print, behind `FAILED:`."""

    def command(arguments: argparse.Namespace) -> str | None:
        from alembic.util import CommandError
        from sqlalchemy.exc import DBAPIError

        from dbkit.errors import DatabaseUnavailable, SettingsError, error_text

        try:
            return run(arguments)
        except (CommandError, DatabaseUnavailable, SettingsError) as error:
            return f"FAILED: {error}"
        except DBAPIError as error:  # whatever else a server says, without the statement
            return f"FAILED: {error_text(error)}"
        except KeyboardInterrupt:
            return "interrupted: throwaway databases are dropped, nothing else was touched"

    return command
