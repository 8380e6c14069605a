"""Lets Alembic's commands that only read do their work, `current` and `check` among them."""

import logging
from typing import Any

from alembic import command
from alembic.runtime.environment import EnvironmentContext
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection

from dbkit import execution
from dbkit.history import check_ahead
from dbkit.revisions import one_line

log = logging.getLogger("alembic.migrator")


def read(
    connection: Connection,
    environment: EnvironmentContext,
    keywords: dict[str, Any],
) -> None:
    """Let a command that only reads do its work, with the revisions of the database at hand."""
    with execution.quiet():
        migration = execution.configure(
            environment, connection=connection, dont_mutate=True, **keywords
        )
    heads = migration.get_current_heads()
    with one_line(environment.script, heads=heads), environment.begin_transaction():
        try:
            environment.run_migrations()
        except CommandError as error:
            if not (_is_current(environment) and isinstance(error.__cause__, ResolutionError)):
                raise
            # Alembic shows only what this checkout has.
            ahead = check_ahead(connection, heads, environment.script)
            if ahead is None:
                raise
            log.warning(ahead)
            for head in heads:
                environment.config.print_stdout("%s", head)


def _is_current(environment: EnvironmentContext) -> bool:
    """Tell whether `alembic current` was typed."""
    typed = environment.config.cmd_opts
    return typed is not None and typed.cmd[0] is command.current
