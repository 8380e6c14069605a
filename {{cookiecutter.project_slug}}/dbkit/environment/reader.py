"""Reads `alembic.context` and turns what a command has put there into one `Request`.

Nothing else knows the options that Alembic's commands hand over.
"""

import os
from typing import Any

from alembic import context
from alembic.runtime.environment import EnvironmentContext
from alembic.util import CommandError

from dbkit import execution
from dbkit.request import Kind, Request


def read_request() -> tuple[EnvironmentContext, Request]:
    """Turn the options that Alembic's command has put aside into a `Request`.

    Alembic shows them only to a context, so one is made, of any dialect.
    """
    with execution.quiet():
        context.configure(dialect_name="sqlite")
    migration = context.get_context()
    environment = migration.environment_context
    if environment is None:
        raise CommandError("alembic/env.py runs inside of Alembic's commands only")
    options = dict(migration.opts)
    revision = options.get("revision_context")
    arguments = revision.command_args if revision else {}
    request = Request(
        kind=_kind(options, arguments),
        find=options["fn"],
        destination=options.get("destination_rev", "heads"),
        purge=bool(options.get("purge")),
        # Never a line of `.env`: who means this command says so with this command.
        confirm=os.environ.get("CONFIRM", ""),
        revision_arguments=arguments,
        revision=revision,
    )
    return environment, request


def _kind(options: dict[str, Any], arguments: dict[str, Any]) -> Kind:
    """Tell the commands apart by the options that each of them gives.

    Only commands that change something can be had as SQL, and give `as_sql`.
    """
    if "template_args" in options:  # revision, merge or check
        if not arguments.get("autogenerate"):
            return Kind.NEW_REVISION
        return Kind.READ if arguments["message"] is None else Kind.AUTOGENERATE
    if "as_sql" not in options:
        return Kind.FILES_ONLY if _shows_no_current() else Kind.READ
    if options["as_sql"]:
        return Kind.OFFLINE
    return Kind.RUN if "destination_rev" in options else Kind.CREATE_VERSION_TABLE


def _shows_no_current() -> bool:
    """Whether `alembic history`, as typed, does not mark where the database is."""
    typed = context.config.cmd_opts
    if typed is None or getattr(typed, "indicate_current", True):
        return False
    return "current" not in (typed.rev_range or "")
