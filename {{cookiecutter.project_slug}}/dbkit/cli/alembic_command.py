"""Calls Alembic's own command line, whose output stays what scripts for Alembic expect."""

from dbkit import PROJECT


def run_alembic(*arguments: str) -> None:
    """Run one of Alembic's commands; a failure is printed behind `FAILED:` and ends the process."""
    from alembic.config import main

    main(argv=["--config", str(PROJECT / "alembic.ini"), *arguments], prog="alembic")


def check_files() -> str | None:
    """Read every revision file; return a line if one of them cannot be read."""
    from alembic.util import CommandError

    from dbkit.revisions import scripts

    try:
        scripts()
    except CommandError as error:
        return f"FAILED: {error}"
    return None
