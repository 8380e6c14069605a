"""Where a database stands among the revisions of this code."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import to_tuple
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection.failures import is_missing_table
from dbkit.config import alembic_config
from dbkit.errors import reading

VERSIONS = text("SELECT version_num FROM alembic_version")


@dataclass(frozen=True)
class Status:
    """Revisions in the database and in the code, how many are still to be run, and those in the
    database that the code does not have."""

    current: tuple[str, ...]
    head: tuple[str, ...]
    pending: int
    unknown: tuple[str, ...] = ()

    @property
    def up_to_date(self) -> bool:
        """Whether this code can work: also true of a database that is ahead of it."""
        return self.pending == 0


@cache
def scripts() -> ScriptDirectory:
    """The revisions of this code, read once: they do not change while it runs.

    Raises:
        CommandError: one of the files cannot be read, or is missing.
    """
    directory = ScriptDirectory.from_config(alembic_config())
    with reading(Path(directory.versions)):
        directory.get_heads()
    return directory


def with_ancestors(revisions: tuple[str, ...]) -> set[str]:
    """The revisions, those they come after, and those they depend on."""
    found: set[str] = set()
    todo = list(revisions)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            revision = scripts().get_revision(name)
            todo += to_tuple(revision.down_revision, default=())
            todo += to_tuple(revision.dependencies, default=())
    return found


def compare(current: tuple[str, ...]) -> Status:
    """The status of a database whose version table holds `current`; loads the revisions."""
    head = tuple(scripts().get_heads())
    known = {script.revision for script in scripts().walk_revisions()}
    unknown = tuple(name for name in current if name not in known)
    if unknown:  # newer code has been here: nothing is left for this one
        return Status(current, head, pending=0, unknown=unknown)
    pending = len(with_ancestors(head) - with_ancestors(current))
    return Status(current, head, pending)


async def read_current(connection: AsyncConnection) -> tuple[str, ...]:
    """What the version table holds, by a single query; nothing where the table is missing.

    Leaves no transaction open.
    """
    try:
        return tuple(await connection.scalars(VERSIONS))
    except DBAPIError as error:
        if not is_missing_table(error):
            raise
        return ()
    finally:
        await connection.rollback()
