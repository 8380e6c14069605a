"""`make migration-sql`: what the revisions would do, as SQL, complete or not at all."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from alembic import command, context
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.util import CommandError
from sqlalchemy import extract, func, insert
from sqlalchemy.schema import CreateTable

from dbkit.connection.url import DatabaseURL
from dbkit.history import table as history
from dbkit.config import alembic_config
from dbkit.transactions.guard import Kinds
from dbkit.execution.steps import Steps, check
from dbkit.status import scripts, with_ancestors
from dbkit.execution.transactions import Transactions
from dbkit.settings import get_settings


def run(configure: Callable[..., None], database: DatabaseURL, fn: Steps) -> None:
    """What `alembic/env.py` runs for `--sql`: the steps that `fn` finds, as SQL."""
    kinds, settings = Kinds(Transactions()), get_settings()
    told = _History(settings.environment)
    on_postgresql = database.dialect == "postgresql"

    def steps(heads: Any, migration: MigrationContext) -> Iterator[MigrationStep]:
        found = list(fn(heads, migration))
        check(found, database.dialect)
        told.begin(found)
        for step in found:
            told.step = step
            yield step

    configure(
        url=database.url,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        fn=steps,
        kinds=kinds,
        on_version_apply=lambda **_said: told.done(on_postgresql=on_postgresql),
    )
    kinds.install(context.get_context())
    if on_postgresql:
        context.execute(f"SET lock_timeout = '{settings.migration_lock_timeout * 1000:.0f}ms'")
        context.execute(f"SET statement_timeout = '{settings.migration_timeout * 1000:.0f}ms'")
    with context.begin_transaction():
        context.run_migrations()


class _History:
    """Rows of the history, for whoever will run the SQL: their server knows who, where and when."""

    def __init__(self, environment: str) -> None:
        self.author = history.Author(environment)
        self.step: MigrationStep | None = None
        self._created = False

    def begin(self, steps: list[MigrationStep]) -> None:
        """Name the run after its steps: the SQL of the same ones is the same, to the letter."""
        run_id = uuid5(NAMESPACE_OID, "\n".join(step.short_log for step in steps))
        self.author = replace(self.author, run_id=run_id)

    def done(self, *, on_postgresql: bool) -> None:
        """Write the success of the step, in its own transaction."""
        if self.step is None:
            return
        if not self._created:
            context.execute(CreateTable(history.history, if_not_exists=True))
            self._created = True
        entry = history.Entry(self.step, duration=0, lock_wait=0, locks_held=0, retries=0)
        row = self.author.row | entry.row(history.DONE)
        row |= {"started_at": func.current_timestamp(), "executed_by": "unknown", "host": "unknown"}
        if on_postgresql:  # the time since the transaction began
            since = extract("epoch", func.clock_timestamp() - func.current_timestamp())
            address = func.coalesce(func.host(func.inet_client_addr()), "local")
            row |= {"duration": since, "locks_held": since}
            row |= {"executed_by": func.session_user(), "host": address}
        context.execute(insert(history.history).values(row).inline())


def render(revisions: str) -> str:
    """The SQL up to a revision, or of the way `from:to`, which may lead up or down.

    Raises:
        CommandError: no such revision, or one that has no SQL without a database (batch mode).
    """
    config = alembic_config()
    config.output_buffer = StringIO()  # an error half way leaves nothing of it on stdout
    begin, colon, end = revisions.partition(":")
    if colon and not (begin and end):
        raise CommandError("REV is a revision, or two of them: from:to")
    if end and not _leads_up(begin, end):
        command.downgrade(config, revisions, sql=True)
    else:
        command.upgrade(config, revisions, sql=True)
    return config.output_buffer.getvalue()


def _leads_up(begin: str, end: str) -> bool:
    if begin == "base":
        return True
    if end == "base" or end.startswith("-"):
        return False
    known = scripts()
    lower, upper = known.get_revision(begin), known.get_revision(end)
    return lower.revision in with_ancestors((upper.revision,)) and lower is not upper
