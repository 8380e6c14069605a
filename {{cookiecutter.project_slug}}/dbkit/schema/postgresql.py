"""Reads a schema from PostgreSQL's catalogue, in one statement: `queries/*.sql`, joined.

https://www.postgresql.org/docs/current/catalogs.html
"""

import json
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from dbkit.schema.expressions import normalize
from dbkit.schema.picture import Picture, SchemaObject, without_defaults

QUERIES = Path(__file__).with_name("queries")
COMMON = "common.sql"
# What decides how the server words a definition.
SETTINGS = {
    "search_path": "pg_catalog",
    "quote_all_identifiers": "off",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "statement_timeout": "10min",  # the database's own is one for requests
    "jit": "off",  # compiling takes longer than running
}


def begin(connection: Connection) -> None:
    """Let a new transaction read one state and write nothing."""
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def read(connection: Connection) -> Picture:
    """Return all objects; the settings that this needs are the transaction's."""
    settings = ", ".join(
        f"set_config('{name}', '{value}', true)" for name, value in SETTINGS.items()
    )
    connection.exec_driver_sql(f"SELECT {settings}")
    version = connection.exec_driver_sql("SELECT current_setting('server_version_num')::integer")
    rows = connection.exec_driver_sql(_statement())
    return Picture.of("postgresql", version.scalar_one() // 10_000, (_object(*row) for row in rows))


@cache
def _statement() -> str:
    queries = [
        path.read_text("utf-8") for path in sorted(QUERIES.glob("*.sql")) if path.name != COMMON
    ]
    common = (QUERIES / COMMON).read_text("utf-8")
    return (
        f"{common} SELECT kind, name, parent, definition::text, administration::text"
        f" FROM ({' UNION ALL '.join(queries)}) AS objects"
    )


def _object(
    kind: str, name: str, parent: str | None, definition: str, administration: str
) -> SchemaObject:
    facets = {key: normalize(kind, key, value) for key, value in json.loads(definition).items()}
    return SchemaObject(
        kind, name, parent, without_defaults(facets), without_defaults(json.loads(administration))
    )
