"""Where a database stands among the revisions of this checkout."""

from dataclasses import dataclass

from sqlalchemy import inspect, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.config import EnvironmentOptions
from dbkit.errors import INSUFFICIENT_PRIVILEGE, sqlstate
from dbkit.revisions.grants import check_readable
from dbkit.revisions.loader import is_known, scripts, with_ancestors

UNDEFINED_TABLE = "42P01"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


@dataclass(frozen=True)
class Status:
    """Revisions in the database and in the code, and how many are still to be applied.

    Attributes:
        unknown: those of the database that the code does not have.
        doubt: why a database at unknown revisions may not be just ahead of this code.
        diverged: whether revisions of this code never ran on a database at unknown ones.
    """

    current: tuple[str, ...]
    head: tuple[str, ...]
    pending: int
    unknown: tuple[str, ...] = ()
    doubt: str | None = None
    diverged: bool = False

    @property
    def up_to_date(self) -> bool:
        """Whether this code can work: also true of a database that is ahead of it."""
        return self.obstacle is None

    @property
    def obstacle(self) -> str | None:
        """Why this code cannot work, for whoever asks from outside."""
        if self.diverged and self.doubt:
            return self.doubt.partition(": ")[0]
        return f"migrations pending: {self.pending}" if self.pending else None


def compare_revisions(current: tuple[str, ...]) -> Status:
    """Return the status of a database whose version table holds `current`; loads the revisions."""
    head = tuple(scripts().get_heads())
    if set(current) == set(head):  # what a probe meets nearly always
        return Status(current, head, pending=0)
    unknown = tuple(name for name in current if not is_known(scripts(), name))
    if unknown:  # newer code has migrated it: nothing is left for this one
        return Status(current, head, pending=0, unknown=unknown)
    pending = with_ancestors(scripts(), head) - with_ancestors(scripts(), current)
    return Status(current, head, len(pending))


async def read_current(connection: AsyncConnection, options: EnvironmentOptions) -> tuple[str, ...]:
    """Return what the version table holds, by a single query; nothing if the table is missing.

    Leaves no transaction open.

    Raises:
        UnreadableRevisions: this user may not read it; names the GRANT that is missing.
    """
    name, schema = options.version_table, options.version_table_schema
    versions = connection.dialect.identifier_preparer.format_table(table(name, schema=schema))
    query = text(f"SELECT version_num FROM {versions}")
    try:
        try:
            current = tuple(await connection.scalars(query))
            if not current and connection.dialect.name == "postgresql":
                await check_readable(connection, name, schema)
            return current
        except DBAPIError as error:
            await connection.rollback()
            if sqlstate(error) in (UNDEFINED_TABLE, INSUFFICIENT_PRIVILEGE):
                await check_readable(connection, name, schema)
            if sqlstate(error) == UNDEFINED_TABLE:
                return ()
            if connection.dialect.name != "sqlite":
                raise
        # SQLite has no code of its own for a missing table.
        if not await connection.run_sync(lambda sync: inspect(sync).has_table(name, schema)):
            return ()
        return tuple(await connection.scalars(query))  # another process may have created it since
    finally:
        await connection.rollback()
