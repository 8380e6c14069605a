"""Tells how a database differs from the models."""

from collections.abc import Mapping
from textwrap import dedent, indent
from typing import Any

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import Connection

from dbkit.execution import configure, quiet
from dbkit.revisions.writer import body


def find_differences(
    environment: EnvironmentContext, connection: Connection, keywords: Mapping[str, Any]
) -> str:
    """Return what autogenerate would write for a database; "" if nothing.

    As `alembic check` does, it lets the service's `process_revision_directives` have a say.

    Args:
        environment: is configured for `connection`.
        keywords: those of `autogenerate_options`, and others of `EnvironmentContext.configure`.
    """
    with quiet():
        context = configure(environment, connection=connection, **keywords)
    directives = [produce_migrations(context, keywords["target_metadata"])]
    heads = context.get_current_heads()
    keywords["process_revision_directives"](context, heads, directives)
    changes = [change for script in directives for change in script.upgrade_ops_list]
    statements = [
        render_python_code(change, render_item=keywords["render_item"])
        for change in changes
        if not change.is_empty()
    ]
    texts = [dedent(f"    {body(text)}") for text in statements]
    return indent("\n".join(texts), "  ")
