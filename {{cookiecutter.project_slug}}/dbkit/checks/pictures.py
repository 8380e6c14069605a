"""Pictures of what the revisions and the service decide: without the tables that the kit keeps."""

import re

from sqlalchemy import Connection

from dbkit.config import EnvironmentOptions, alembic_config, left_alone
from dbkit.connection import DatabaseURL, connect, one_line_errors
from dbkit.history import TABLE as HISTORY_TABLE
from dbkit.schema import Picture, SchemaObject, read

PART = re.compile(r'"(?:[^"]|"")*"|[^".]+')  # of a name such as public."Users"


async def take_picture(database: DatabaseURL, options: EnvironmentOptions) -> Picture:
    """Return what `database` holds, read by a connection of its own.

    Raises:
        DatabaseUnavailable: no connection, one that broke, or a catalogue that may not be read.
    """
    with one_line_errors(database):
        async with connect(database, autocommit=False) as connection:
            return await connection.run_sync(read_ours, options)


def read_ours(connection: Connection, options: EnvironmentOptions) -> Picture:
    """Return what the database holds, without Alembic's table, the history and `leave_alone`.

    Raises:
        DBAPIError: the catalogue cannot be read.
    """
    picture, is_named = read(connection), left_alone(alembic_config())
    tables = {options.version_table, HISTORY_TABLE}

    def is_left_out(one: SchemaObject) -> bool:
        if one.kind == "schema" and one.name.strip('"') == options.version_table_schema:
            return True
        if one.kind == "table" and _parts(one.name)[-1] in tables:
            return True
        parents = _partitioned(one, picture)
        return is_named(*_names(one)) or any(is_left_out(parent) for parent in parents)

    return picture.without(is_left_out)


def _partitioned(one: SchemaObject, picture: Picture) -> list[SchemaObject]:
    """Return the table that this one is a partition of."""
    names = one.definition.get("inherits", ()) if "bound" in one.definition else ()
    keys = (f"table {name}" for name in names)
    return [picture.objects[key] for key in keys if key in picture.objects]


def _names(one: SchemaObject) -> set[str]:
    """Return the names by which `leave_alone` may name an object.

    With and without the schema and the table, and the name of its schema; a function's without its
    arguments, too. A column always has its table's name before it, and so has the sequence of a
    column, which has its own name besides.
    """
    full = one.name.partition("(")[0]
    *prefixes, name = _parts(full)
    with_table = ".".join([*prefixes[-1:], name])
    if one.kind == "column":  # of other tables may be called the same
        return {full, with_table}
    if one.kind == "sequence of":
        own = str(one.administration.get("name", full))
        return {full, with_table, own, _parts(own)[-1]}
    return {one.name, full, with_table, name, *prefixes[:1]}


def _parts(name: str) -> list[str]:
    """Split a name at its dots, but not inside of quotes, which go."""
    found: list[str] = PART.findall(name)
    return [part.strip('"').replace('""', '"') for part in found] or [name]
