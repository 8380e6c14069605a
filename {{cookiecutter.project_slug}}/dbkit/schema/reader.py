"""Reads a database's schema, whichever kind of database it is."""

from sqlalchemy import Connection

from dbkit.schema import postgresql, sqlite
from dbkit.schema.picture import Picture


def read(connection: Connection) -> Picture:
    """Return what the database holds, as it is at one moment.

    Args:
        connection: in a transaction, it shows what that transaction sees; without one, it is
            without one afterwards. On PostgreSQL any role may read, also one that owns nothing.

    Raises:
        DBAPIError: the catalogue cannot be read.
    """
    reader = postgresql if connection.dialect.name == "postgresql" else sqlite
    inside = connection.in_transaction()
    with connection.begin_nested() if inside else connection.begin() as transaction:
        if not inside:
            reader.begin(connection)
        picture: Picture = reader.read(connection)
        transaction.rollback()
    return picture
