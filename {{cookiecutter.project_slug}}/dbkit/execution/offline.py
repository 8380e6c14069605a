"""Writes what the revisions would do as SQL, complete or not at all."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep
from sqlalchemy import extract, func, insert
from sqlalchemy.schema import CreateSchema, CreateTable

from dbkit.connection import DatabaseURL
from dbkit.execution.context import configure, quiet, use_context
from dbkit.execution.steps import check_steps, find_steps
from dbkit.history.table import DONE, Author, Measurements, history, row_of
from dbkit.request import Request
from dbkit.settings import get_settings
from dbkit.transactions import GuardedContext, TransactionGuard, TransactionTimer, note_revision


def render(
    environment: EnvironmentContext,
    database: DatabaseURL,
    request: Request,
    keywords: Mapping[str, Any],
) -> str:
    """Return the SQL of a request, and of the rows of its history.

    What a revision prints goes to stderr: it is no SQL.

    Raises:
        CommandError: a revision cannot be written as SQL; one line.
    """
    output = StringIO()
    with redirect_stdout(sys.stderr):
        _render(environment, database, request, {**keywords, "output_buffer": output})
    return output.getvalue()


def _render(
    environment: EnvironmentContext,
    database: DatabaseURL,
    request: Request,
    keywords: Mapping[str, Any],
) -> None:
    settings = get_settings()
    rows = _HistoryRows(Author(settings.environment))

    def find_all(heads: Any, context: MigrationContext) -> Iterator[MigrationStep]:
        if context.version_table_schema and not heads:
            context.execute(CreateSchema(context.version_table_schema, if_not_exists=True))
        steps = find_steps(request, environment.script, heads, context)
        check_steps(steps, database.dialect)
        rows.name_run(steps)
        for step in steps:
            note_revision(context, step)
            yield step

    with quiet():
        alembics = configure(
            environment,
            url=database.url,
            literal_binds=True,
            dialect_opts={"paramstyle": "named"},
            **keywords,
        )
        callbacks = (rows.write, *alembics.opts["on_version_apply"])
        guard = TransactionGuard(TransactionTimer())
        context = GuardedContext(alembics, guard, fn=find_all, on_version_apply=callbacks)
    use_context(context)
    if database.dialect == "postgresql":
        context.execute(f"SET lock_timeout = '{settings.migration_lock_timeout * 1000:.0f}ms'")
        context.execute(f"SET statement_timeout = '{settings.migration_timeout * 1000:.0f}ms'")
    with Operations.context(context), context.begin_transaction():
        context.run_migrations()


class _HistoryRows:
    """The history of somebody else's run, whose server knows who, where and when."""

    def __init__(self, author: Author) -> None:
        self.author = author
        self._created = False

    def name_run(self, steps: list[MigrationStep]) -> None:
        """Name the run after its steps: the SQL of the same steps is the same, to the letter."""
        run_id = uuid5(NAMESPACE_OID, "\n".join(step.short_log for step in steps))
        self.author = replace(self.author, run_id=run_id)

    def write(self, step: MigrationInfo, ctx: MigrationContext, **_rest: Any) -> None:
        """Write the row of a step, in its own transaction."""
        if not self._created:
            ctx.execute(CreateTable(history, if_not_exists=True))
            self._created = True
        row = row_of(step, Measurements(), self.author, DONE)
        row |= {"started_at": func.current_timestamp(), "executed_by": "unknown", "host": "unknown"}
        if ctx.dialect.name == "postgresql":  # the time since the transaction began
            since = extract("epoch", func.clock_timestamp() - func.current_timestamp())
            address = func.coalesce(func.host(func.inet_client_addr()), "local")
            row |= {"duration": since, "locks_held": since}
            row |= {"executed_by": func.session_user(), "host": address}
        ctx.execute(insert(history).values(row).inline())
