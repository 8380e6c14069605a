"""Failures that everybody meets once, each in one line that says what to do."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from app.database.errors import explain


@contextmanager
def explained(context: ModuleType) -> Iterator[None]:
    """Raise what goes wrong inside as a `CommandError` of one line, where it is foreseeable."""
    try:
        yield
    except CommandError as error:
        raise CommandError(_with_advice(str(error), context)) from None
    except DBAPIError as error:
        place = _place_in_revision(error, Path(context.script.versions))
        if explain(error) is not None or place is None:
            raise
        said = " ".join(str(error.orig).split())
        raise CommandError(f"{place}: {said}; this revision changed nothing") from error


def _with_advice(message: str, context: ModuleType) -> str:
    if message.startswith("Can't locate revision"):
        if any(f"'{name}'" in message for name in context.get_context().get_current_heads()):
            return (
                f"{message}, at which the database stands: this code is older than the database, "
                "or the revision is on another branch; nothing was changed"
            )
        return f"{message}; 'make migration-history' lists those there are"
    if message.startswith("Multiple head revisions"):
        heads = ", ".join(context.script.get_heads())
        return f"several heads ({heads}): join them with 'make migration-merge', or name one"
    if message == "Ambiguous walk":
        return "a step down from a merge leads two ways: name the revision to go to, REV=<revision>"
    return message


def _place_in_revision(error: BaseException, versions: Path) -> str | None:
    """`file:line` of the revision's own statement that failed."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).parent == versions:
            return f"{Path(frame.filename).name}:{frame.lineno}"
    return None
