"""Pictures of what the revisions and the service decide: without the tables that the kit keeps."""

from sqlalchemy import Connection

from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL
from dbkit.history import Scope
from dbkit.locking import reading
from dbkit.schema import Picture, read


async def take_picture(database: DatabaseURL, options: EnvironmentOptions) -> Picture:
    """Return what `database` holds, read by a connection of its own.

    Raises:
        DatabaseUnavailable: no connection, one that broke, a catalogue that may not be read, or
            a table that is locked.
    """
    async with reading(database) as connection:
        return await connection.run_sync(read_ours, options)


def read_ours(connection: Connection, options: EnvironmentOptions) -> Picture:
    """Return what the database holds, without Alembic's table, the history and `leave_alone`.

    Raises:
        DBAPIError: the catalogue cannot be read.
    """
    return Scope.of(options).filter(read(connection))
