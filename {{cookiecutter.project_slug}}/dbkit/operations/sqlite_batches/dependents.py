"""Views and triggers that use a table: whether they fit the copy that a batch has made of it."""

from dbkit.operations.sqlite_batches.master import Master, mentions
from dbkit.schema.sqlite_tokens import tokens_of

EVENTS = ("DELETE", "INSERT", "UPDATE")


def check_dependents(master: Master) -> None:
    """Let SQLite read all views, and the triggers that use a table.

    Raises:
        CommandError: one does not fit the table; names it.
    """
    sql = f"SELECT type, name, tbl_name, sql FROM {master.prefix}sqlite_master"
    rows = master.connection.exec_driver_sql(f"{sql} WHERE type IN ('view', 'trigger')").all()
    if rows:
        _read_all(master)
    for row in rows:
        if row.type == "trigger" and mentions(row.sql, master.table):
            with master.naming(f"trigger {row.name}"):
                master.connection.exec_driver_sql(_event(master, row.tbl_name, row.sql))


def _read_all(master: Master) -> None:
    """Let SQLite read the schema as it does before it renames a table, and rename none."""
    run = master.connection.exec_driver_sql
    run("SAVEPOINT views_and_triggers")
    try:
        with master.naming("a view or trigger"):
            run(f"ALTER TABLE {master.quoted} RENAME TO {master.quote(f'_read_{master.table}')}")
    finally:
        run("ROLLBACK TO views_and_triggers")
        run("RELEASE views_and_triggers")


def _event(master: Master, table: str, sql: str) -> str:
    """Return what prepares, and does not run, a statement that would fire a trigger.

    SQLite looks up the columns that a trigger changes only then.
    https://www.sqlite.org/lang_explain.html
    """
    event = next(token.upper() for token in tokens_of(sql)[2:] if token.upper() in EVENTS)
    quoted = f"{master.prefix}{master.quote(table)}"
    if event == "DELETE":
        return f"EXPLAIN DELETE FROM {quoted}"
    if event == "INSERT":
        return f"EXPLAIN INSERT INTO {quoted} DEFAULT VALUES"
    columns = [row.name for row in master.pragma("table_xinfo", table) if row.hidden == 0]
    settings = ", ".join(f"{master.quote(name)} = NULL" for name in columns)
    return f"EXPLAIN UPDATE {quoted} SET {settings}"
