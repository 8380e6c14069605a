"""Compares the models with a database, and says what autogenerate would write."""

import warnings
from textwrap import dedent, indent
from typing import Any

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import Connection

from dbkit.alembic_internals import says_cannot_be_modified
from dbkit.execution import configure, quiet
from dbkit.revisions.writer import body


def find_differences(
    environment: EnvironmentContext, connection: Connection, keywords: dict[str, Any]
) -> str:
    """Return the operations that would make a database what the models say; empty if it is that.

    Args:
        keywords: those of `run_keywords` and `autogenerate_options`.
    """
    with quiet():
        context = configure(environment, connection=connection, **keywords)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        upgrade = produce_migrations(context, keywords["target_metadata"]).upgrade_ops
    if upgrade is not None and not upgrade.is_empty():
        code = render_python_code(
            upgrade, render_item=keywords["render_item"], migration_context=context
        )
        return indent(dedent(f"    {body(code)}"), "  ")
    return "\n".join(
        f"  {warning.message}" for warning in caught if says_cannot_be_modified(warning)
    )
