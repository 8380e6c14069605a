"""What Alembic's command wants of the environment; no public name of Alembic's says it."""

from argparse import Namespace
from typing import Any

from alembic import context


def asked_for() -> dict[str, Any]:
    """What Alembic's command put aside for this environment; no public name leads there."""
    context.configure(dialect_name="sqlite")
    return dict(context.get_context().opts)


def reads(options: dict[str, Any]) -> bool:
    """`current` and `history`: what changes something could be had as SQL too."""
    return "as_sql" not in options


def only_reads_files(options: dict[str, Any], command_line: Namespace | None) -> bool:
    """`history`, which Alembic brings here although it shows no database's place in it."""
    if not reads(options) or command_line is None:
        return False
    shows_current = getattr(command_line, "indicate_current", True)
    return not shows_current and "current" not in (command_line.rev_range or "")
