"""Makes anew what goes with a table: its indexes, its triggers, and where AUTOINCREMENT stands."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy import CheckConstraint, Column

from dbkit.operations.sqlite_batches.dependents import check_dependents
from dbkit.operations.sqlite_batches.master import Master, mentions


@contextmanager
def remade(master: Master, indexes: Collection[str]) -> Iterator[None]:
    """Make the objects of a table anew that the block drops with it and replaces by a copy.

    Args:
        master: of the table.
        indexes: those of its indexes that stay.

    Raises:
        CommandError: one does not fit the copy, or a view or another table's trigger does not.
    """
    number, triggers = master.last_number(), master.texts("trigger")
    kept = {name: sql for name, sql in master.texts("index").items() if name in indexes}
    with _old_renaming(master):
        yield
    if number is not None and master.statement().has_autoincrement:
        master.go_on_from(number)
    for kind, texts in (("index", kept), ("trigger", triggers)):
        for name, sql in texts.items():
            master.run(kind, name, sql)
    check_dependents(master)


@contextmanager
def _old_renaming(master: Master) -> Iterator[None]:
    """Let SQLite rename a table while views and triggers name one that is gone.

    https://www.sqlite.org/pragma.html#pragma_legacy_alter_table
    """
    run = master.connection.exec_driver_sql
    before = run("PRAGMA legacy_alter_table").scalar()
    run("PRAGMA legacy_alter_table = ON")
    try:
        yield
    finally:
        run(f"PRAGMA legacy_alter_table = {before}")


def check_dropped(
    table: str,
    dropped: Collection[str],
    checks: Iterable[CheckConstraint],
    columns: Iterable[Column[object]],
    indexes: dict[str, str],
) -> None:
    """Raise `CommandError` if something that stays needs a column that goes.

    SQLite itself would take a name in double quotes for text then.

    Args:
        dropped: the columns that go.
        checks, columns, indexes: what stays; the indexes as SQL, by name.
    """
    stays = [
        *((f"CHECK {one.name or f'({one.sqltext})'}", str(one.sqltext)) for one in checks),
        *(
            (f"computed column {column.name}", str(column.computed.sqltext))
            for column in columns
            if column.computed is not None
        ),
        *((f"index {name}", sql) for name, sql in indexes.items()),
    ]
    for what, sql in stays:
        for name in dropped:
            if mentions(sql, name):
                raise CommandError(
                    f"{what} of table {table} needs column {name}, which the batch drops:"
                    " drop it in the same batch; nothing was changed"
                )
