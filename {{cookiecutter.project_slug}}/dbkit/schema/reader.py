"""Reads a database's schema, whichever kind of database it is."""

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dbkit.errors import sqlstate
from dbkit.schema import postgresql, sqlite
from dbkit.schema.picture import Picture

# PostgreSQL's functions that word a definition see what others commit meanwhile: an object that is
# gone has no definition, or is an internal error.
INTERNAL_ERROR = "XX000"
TRIES = 10
DEFINED = ("index", "constraint", "function", "procedure", "trigger", "rule", "statistics")


def read(connection: Connection) -> Picture:
    """Return what the database holds, as it is at one moment.

    It reads again if others change the schema meanwhile.

    Args:
        connection: in a transaction, it shows what that transaction sees; without one, it is
            without one afterwards. On PostgreSQL any role may read, also one that owns nothing.

    Raises:
        DBAPIError: the catalogue cannot be read.
    """
    for _ in range(TRIES - 1):
        try:
            picture = _read(connection)
        except DBAPIError as error:
            if sqlstate(error) != INTERNAL_ERROR:
                raise
        else:
            if _is_whole(picture):
                return picture
    return _read(connection)


def _read(connection: Connection) -> Picture:
    reader = postgresql if connection.dialect.name == "postgresql" else sqlite
    inside = connection.in_transaction()
    with connection.begin_nested() if inside else connection.begin() as transaction:
        if not inside:
            reader.begin(connection)
        picture: Picture = reader.read(connection)
        transaction.rollback()
    return picture


def _is_whole(picture: Picture) -> bool:
    """Tell whether each object still had its definition when that was asked for."""
    if picture.dialect == "sqlite":
        return True
    defined = (one for one in picture.objects.values() if one.kind in DEFINED)
    return all("definition" in one.definition for one in defined)
