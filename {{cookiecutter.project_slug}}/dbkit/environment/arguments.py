"""Checks what `alembic/env.py` gives to `environment.run`: a misspelled keyword does nothing."""

import inspect
from collections.abc import Mapping
from typing import Any

from alembic.runtime.environment import EnvironmentContext
from alembic.util import CommandError

# Keywords of Alembic's `configure` that decide what a command does, and on which connection.
OURS = {
    "as_sql",
    "connection",
    "destination_rev",
    "dialect_name",
    "dialect_opts",
    "dont_mutate",
    "fn",
    "literal_binds",
    "output_buffer",
    "purge",
    "script",
    "starting_rev",
    "tag",
    "target_metadata",
    "template_args",
    "transaction_per_migration",
    "transactional_ddl",
    "url",
}
# Keywords that its signature does not name.
UNNAMED = {"output_encoding", "version_table", "version_table_pk", "version_table_schema"}


def check_arguments(metadata: object, configure: Mapping[str, Any]) -> None:
    """Raise `CommandError` if there is no function, or a keyword that is not for the service."""
    if not callable(metadata):
        raise CommandError("environment.run takes a function that returns the models' metadata")
    named = inspect.signature(EnvironmentContext.configure).parameters.keys() - {"self", "kw"}
    allowed = (named | UNNAMED) - OURS
    for name in configure:
        if name in OURS:
            raise CommandError(f"environment.run decides about {name} by itself: take it out")
        if name not in allowed:
            import difflib  # only a mistake needs it

            similar = difflib.get_close_matches(name, allowed, 1)
            hint = f"; is it {similar[0]}?" if similar else ""
            raise CommandError(f"environment.run has no keyword {name}{hint}")
