"""Constraints of SQLite's tables, from the pragmas and the text of CREATE TABLE."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row

from dbkit.schema.picture import SchemaObject, without_defaults
from dbkit.schema.sqlite_sql import Statement
from dbkit.schema.sqlite_tokens import normalized

Rows = dict[str, list[Row[Any]]]  # what a pragma says, by the name of the table


def order_of_key(indexes: list[Row[Any]]) -> str | None:
    """Return the columns of the primary key, if it has an order or collation of its own."""
    key = [row for row in indexes if row.origin == "pk"]
    parts = [_indexed(row) for row in key]
    return ", ".join(parts) if parts != [row.name for row in key] else None


def constraints(
    table: str, indexes: list[Row[Any]], statement: Statement
) -> Iterator[SchemaObject]:
    """CHECKs by name or text; UNIQUE by columns: no pragma has its name."""
    names = Counter[str]()
    for written, text in statement.checks:
        expression = normalized(text)
        names[name := written or expression] += 1
        if written and names[name] > 1:  # SQLite takes a name several times
            name = f"{name} ({names[name]})"
        yield _object("check", f"{table}.{name}", table, {"definition": expression})
    unique = defaultdict(list)
    for row in indexes:
        if row.origin == "u":
            unique[row.index_name].append(row)
    for rows in unique.values():
        answer = statement.conflicts.get(("UNIQUE", tuple(row.name.lower() for row in rows)))
        name = f"{table}({', '.join(map(_indexed, rows))})"
        yield _object("unique constraint", name, table, {"on conflict": answer})


def _indexed(row: Row[Any]) -> str:
    collation = "" if row.coll == "BINARY" else f" COLLATE {row.coll}"
    return f"{row.name}{collation}{' DESC' if row.desc else ''}"


def foreign_keys(
    table: str, keys: list[Row[Any]], columns: Rows, statement: Statement
) -> Iterator[SchemaObject]:
    """Foreign keys by columns: no pragma has their names."""
    by_id = defaultdict(list)
    for row in keys:
        by_id[row.id].append(row)
    both = {(tuple(row._mapping["from"] for row in rows), rows[0].table) for rows in by_id.values()}
    targets = Counter(names for names, _ in both)
    for rows in by_id.values():
        names, first = tuple(row._mapping["from"] for row in rows), rows[0]
        to = [row.to for row in rows if row.to is not None]
        to = to or _primary_key(first.table, columns)
        reference = tuple(name.lower() for name in (*names, first.table))
        definition = {
            "references": f"{first.table}({', '.join(to)})" if to else first.table,
            "on update": None if first.on_update == "NO ACTION" else first.on_update,
            "on delete": None if first.on_delete == "NO ACTION" else first.on_delete,
            "deferrable": statement.deferrable.get(reference),
        }
        name = f"{table}({', '.join(names)})"
        if targets[names] > 1:
            name = f"{name} to {first.table}"
        yield _object("foreign key", name, table, definition)


def _primary_key(table: str, columns: Rows) -> list[str]:
    """Return the columns that a foreign key refers to which names none."""
    found = (rows for name, rows in columns.items() if name.lower() == table.lower())
    return [row.name for row in sorted(next(found, []), key=lambda row: row.pk) if row.pk]


def _object(kind: str, name: str, table: str, definition: dict[str, Any]) -> SchemaObject:
    return SchemaObject(kind, name, f"table {table}", without_defaults(definition), {})
