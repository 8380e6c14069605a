"""Pictures of what the revisions and the service decide: without the tables that the kit keeps."""

from fnmatch import fnmatchcase

from sqlalchemy import Connection

from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.connection import DatabaseURL, connect
from dbkit.history import TABLE as HISTORY_TABLE
from dbkit.schema import Picture, SchemaObject, read


async def take_picture(database: DatabaseURL, options: EnvironmentOptions) -> Picture:
    """Return what `database` holds, read by a connection of its own. Raises: see `read_ours`."""
    async with connect(database, autocommit=False) as connection:
        return await connection.run_sync(read_ours, options)


def read_ours(connection: Connection, options: EnvironmentOptions) -> Picture:
    """Return what the database holds, without Alembic's table, the history and `leave_alone`.

    Raises:
        DBAPIError: the catalogue cannot be read.
    """
    patterns = (alembic_config().get_main_option("leave_alone") or "").split()
    tables = {options.version_table, HISTORY_TABLE}

    def is_left_out(one: SchemaObject) -> bool:
        if one.kind == "schema" and one.name.strip('"') == options.version_table_schema:
            return True
        return _is_left_alone(one, tables, patterns)

    return read(connection).without(is_left_out)


def _is_left_alone(one: SchemaObject, tables: set[str], patterns: list[str]) -> bool:
    """True for Alembic's table and the history, and for names that `leave_alone` has.

    An object has its name with and without the schema and the table, and the name of its schema; a
    function has them without its arguments, too. A column always has its table's name before it.
    """
    full = one.name.partition("(")[0]
    *prefixes, name = (part.strip('"') for part in full.split("."))
    if one.kind == "table" and name in tables:
        return True
    names = {one.name, full, name, *prefixes[:1]}
    if one.kind == "column":  # of other tables may be called the same
        names = {full, ".".join([*prefixes[-1:], name])}
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
