"""`make migration-sql`: what the revisions would do, as SQL, complete or not at all."""

from collections.abc import Callable
from io import StringIO
from typing import Any

from alembic import command, context
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.util import CommandError

from app.database.url import DatabaseURL
from app.migrator.config import alembic_config
from app.migrator.kinds import Kinds
from app.migrator.plan import Steps, check_kinds
from app.migrator.status import scripts, with_ancestors
from app.settings import get_settings


def run(configure: Callable[..., None], database: DatabaseURL, fn: Steps) -> None:
    """What `alembic/env.py` runs for `--sql`: the steps that `fn` finds, as SQL."""
    kinds = Kinds()
    on_postgresql = database.dialect == "postgresql"

    def steps(heads: Any, migration: MigrationContext) -> list[MigrationStep]:
        found = list(fn(heads, migration))
        if on_postgresql:
            check_kinds(found)
        return found

    configure(
        url=database.url,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        fn=steps,
        kinds=kinds,
    )
    kinds.install(context.get_context())
    if on_postgresql:
        settings = get_settings()
        context.execute(f"SET lock_timeout = '{settings.migration_lock_timeout * 1000:.0f}ms'")
        context.execute(f"SET statement_timeout = '{settings.migration_timeout * 1000:.0f}ms'")
    with context.begin_transaction():
        context.run_migrations()


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
