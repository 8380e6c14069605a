"""The schema of an SQLite database as SQL, in the words of its CREATE statements."""

from collections.abc import Iterable

from sqlalchemy import Connection

# Tables that a virtual table has made are made again with it, and come after it in this order.
STATEMENTS = """
SELECT m.name, m.tbl_name, m.sql FROM sqlite_master AS m
LEFT JOIN pragma_table_list AS t ON t.schema = 'main' AND t.name = m.name
WHERE m.sql IS NOT NULL AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.type IS NOT 'shadow'
ORDER BY CASE m.type WHEN 'table' THEN 1 WHEN 'view' THEN 2 WHEN 'index' THEN 3 ELSE 4 END, m.rowid
"""


def read_statements(connection: Connection, left_out: Iterable[str]) -> str:
    """Return the SQL of a schema, one statement after the other.

    Args:
        left_out: names of tables and other objects.
    """
    names = set(left_out)
    kept = [
        row.sql
        for row in connection.exec_driver_sql(STATEMENTS)
        if names.isdisjoint((row.name, row.tbl_name))
    ]
    return "".join(f"{_ended(statement)}\n\n" for statement in kept).rstrip() + "\n"


def _ended(statement: str) -> str:
    """Return a statement with its semicolon, which a comment in its last line would swallow."""
    last = statement.rpartition("\n")[2]
    return f"{statement}\n;" if "--" in last else f"{statement};"
