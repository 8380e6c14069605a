"""`make migration-sql`: what the revisions would do, as SQL, complete or not at all."""

from io import StringIO

from alembic import command
from alembic.util import CommandError

from app.migrator.config import alembic_config
from app.migrator.status import scripts, with_ancestors


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
