"""Reads a schema from SQLite: the pragmas, and what stands in the CREATE statements alone.

https://www.sqlite.org/pragma.html#pragma_table_xinfo and https://www.sqlite.org/schematab.html
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row

from dbkit.schema.picture import Picture, SchemaObject, without_defaults
from dbkit.schema.sqlite_constraints import Rows, constraints, foreign_keys, order_of_key
from dbkit.schema.sqlite_sql import Statement
from dbkit.schema.sqlite_tokens import normalized

OURS = "name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
SQL = f"SELECT type, name, tbl_name, sql FROM sqlite_master WHERE {OURS}"
COLUMNS = (
    "SELECT m.name AS relation, c.* FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c"
    " WHERE m.type IN ('table', 'view')"
)
KEYS = (
    "SELECT m.name AS relation, k.* FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS k"
    " WHERE m.type = 'table' ORDER BY m.name, k.id, k.seq"
)
INDEXES = (
    'SELECT m.name AS relation, i.name AS index_name, i.origin, x.name, x."desc", x.coll'
    " FROM sqlite_master AS m, pragma_index_list(m.name) AS i, pragma_index_xinfo(i.name) AS x"
    " WHERE m.type = 'table' AND x.key ORDER BY m.name, i.name, x.seqno"
)
# https://www.sqlite.org/vtab.html#xshadowname: what full-text search and R*Tree put behind a name.
SHADOWS = {
    *("config", "content", "data", "docsize", "idx", "segdir", "segments", "stat"),
    *("node", "parent", "rowid"),
}


def begin(connection: Connection) -> None:
    """Begin what reads one state: the driver itself begins only before a statement that writes."""
    connection.exec_driver_sql("BEGIN")


def read(connection: Connection) -> Picture:
    """Return all objects of the main database."""
    version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    major, minor, *_ = (int(part) for part in version.split("."))
    master = connection.exec_driver_sql(SQL).all()
    statements = {
        row.name: Statement(row.sql)
        for row in master
        if row.type == "table" and row.sql is not None
    }
    columns = _grouped(connection, COLUMNS)
    indexes, keys = _grouped(connection, INDEXES), _grouped(connection, KEYS)
    objects: list[SchemaObject] = []
    virtual_names = [name for name, statement in statements.items() if statement.is_virtual]
    for name, statement in statements.items():
        parent = next((f"table {one}" for one in virtual_names if _is_shadow(name, one)), None)
        if statement.is_virtual:
            virtual = {"virtual": normalized(statement.text)}
            objects.append(_object("table", name, None, virtual))
            continue
        of_key = [answer for (kind, _), answer in statement.conflicts.items() if kind == "KEY"]
        options: dict[str, Any] = dict.fromkeys(statement.options, True)
        definition = {
            **options,
            "on conflict": of_key[0] if of_key else None,
            "primary key": order_of_key(indexes[name]),
        }
        objects.append(_object("table", name, parent, definition))
        objects += _columns(name, columns[name], statement)
        objects += constraints(name, indexes[name], statement)
        objects += foreign_keys(name, keys[name], columns, statement)
    for row in master:
        if row.type != "table" and row.sql is not None:
            parent = None if row.type == "view" else f"table {row.tbl_name}"
            objects.append(_object(row.type, row.name, parent, {"definition": normalized(row.sql)}))
    return Picture.of("sqlite", major * 1000 + minor, objects)


def _is_shadow(name: str, virtual: str) -> bool:
    """Tell whether a virtual table of a module that comes with SQLite keeps its data in a table."""
    return name.startswith(f"{virtual}_") and name.removeprefix(f"{virtual}_") in SHADOWS


def _grouped(connection: Connection, query: str) -> Rows:
    groups: Rows = defaultdict(list)
    for row in connection.exec_driver_sql(query):
        groups[row.relation].append(row)
    return groups


def _columns(table: str, columns: list[Row[Any]], statement: Statement) -> Iterator[SchemaObject]:
    for column in columns:
        of_text = statement.columns.get(column.name.lower(), {})
        definition = {
            "type": normalized(column.type).upper(),
            "not null": column.notnull == 1,
            "default": None if column.dflt_value is None else normalized(column.dflt_value),
            "primary key": column.pk or None,
            "on conflict": statement.conflicts.get(("NULL", (column.name.lower(),))),
            **of_text,
        }
        if "computed" in of_text:
            definition["computed"] = normalized(of_text["computed"])
        position = {"position": column.cid + 1}
        yield _object("column", f"{table}.{column.name}", f"table {table}", definition, position)


def _object(
    kind: str,
    name: str,
    parent: str | None,
    definition: dict[str, Any],
    administration: dict[str, Any] | None = None,
) -> SchemaObject:
    return SchemaObject(kind, name, parent, without_defaults(definition), administration or {})
