"""What SQLite itself keeps of a table, as the text that created it.

https://www.sqlite.org/schematab.html
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from dbkit.errors import error_text
from dbkit.schema.sqlite_sql import Statement
from dbkit.schema.sqlite_tokens import name_of, tokens_of


class Master:
    """The rows of `sqlite_master` that belong to one table.

    Args:
        connection: is in a transaction.
        table: its name.
        schema: the attached database that it is in; None for the main one.
    """

    def __init__(self, connection: Connection, table: str, schema: str | None) -> None:
        self.connection, self.table, self.schema = connection, table, schema
        preparer = connection.dialect.identifier_preparer
        self.quote = preparer.quote_identifier
        self.prefix = f"{self.quote(schema)}." if schema else ""
        self.quoted = f"{self.prefix}{self.quote(table)}"

    def statement(self) -> Statement:
        """Return the CREATE TABLE statement."""
        return Statement(self._texts("table")[self.table.lower()])

    @property
    def is_there(self) -> bool:
        """True where there is such a table."""
        return bool(self._texts("table"))

    def texts(self, kind: str) -> dict[str, str]:
        """Return the statements that made the table's indexes or triggers, by name."""
        return self._texts(kind)

    def declared_types(self) -> dict[str, str]:
        """Return the type of each column as it was declared."""
        return {row.name: row.type for row in self.pragma("table_xinfo", self.table)}

    def defaults(self) -> dict[str, str]:
        """Return the default of each column that has one, without parentheses around it."""
        rows = self.pragma("table_xinfo", self.table)
        return {row.name: row.dflt_value for row in rows if row.dflt_value is not None}

    def actions(self) -> dict[tuple[str, ...], tuple[str | None, str | None]]:
        """Return ON UPDATE and ON DELETE of each foreign key, by what `deferrable` names them."""
        rows = self.pragma("foreign_key_list", self.table)
        keys: dict[int, list[Row[Any]]] = {}
        for row in sorted(rows, key=lambda row: (row.id, row.seq)):
            keys.setdefault(row.id, []).append(row)
        return {
            (*(row._mapping["from"].lower() for row in key), key[0].table.lower()): (
                None if key[0].on_update == "NO ACTION" else key[0].on_update,
                None if key[0].on_delete == "NO ACTION" else key[0].on_delete,
            )
            for key in keys.values()
        }

    def keys(self, origin: str) -> list[list[Row[Any]]]:
        """Return the columns of each constraint of a kind, in the order of the table's text.

        Args:
            origin: `u` for UNIQUE, `pk` for a primary key that has an index.
        """
        rows = self.connection.exec_driver_sql(
            'SELECT i.seq, x.name, x."desc", x.coll FROM pragma_index_list(?1, ?2) AS i,'
            " pragma_index_xinfo(i.name, ?2) AS x"
            " WHERE i.origin = ?3 AND x.key ORDER BY i.seq DESC, x.seqno",
            (self.table, self.schema or "main", origin),
        )
        found: dict[int, list[Row[Any]]] = {}
        for row in rows:
            found.setdefault(row.seq, []).append(row)
        return [*found.values()]

    def last_number(self) -> int | None:
        """Return the last number that AUTOINCREMENT gave; None if there is none."""
        if not self._has_numbers():
            return None
        found: int | None = self.connection.exec_driver_sql(
            f"SELECT seq FROM {self.prefix}sqlite_sequence WHERE name = ?", (self.table,)
        ).scalar()
        return found

    def go_on_from(self, number: int) -> None:
        """Let AUTOINCREMENT go on from a number, so that it gives none again."""
        if not self._has_numbers():
            return
        numbers = f"{self.prefix}sqlite_sequence"
        self.connection.exec_driver_sql(f"DELETE FROM {numbers} WHERE name = ?", (self.table,))
        self.connection.exec_driver_sql(
            f"INSERT INTO {numbers} VALUES (?, ?)", (self.table, number)
        )

    def run(self, kind: str, name: str, sql: str) -> None:
        """Run a statement that makes an index or trigger of the table once more.

        Raises:
            CommandError: it does not fit any more; names it.
        """
        if self.schema:  # the text that SQLite keeps does not say in which database
            head, _, rest = sql.partition(kind.upper())
            sql = f"{head}{kind.upper()} {self.prefix}{rest.lstrip()}"
        with self.naming(f"{kind} {name}"):
            self.connection.exec_driver_sql(sql)

    @contextmanager
    def naming(self, what: str) -> Iterator[None]:
        """Say which object it was that SQLite refused."""
        try:
            yield
        except DBAPIError as error:
            raise CommandError(
                f"{what} does not fit table {self.table} after the batch: {error_text(error)};"
                " drop it in the revision before the batch; nothing was changed"
            ) from error

    def pragma(self, name: str, table: str) -> Sequence[Row[Any]]:
        """Return what a pragma says of a table: https://www.sqlite.org/pragma.html."""
        return self.connection.exec_driver_sql(
            f"PRAGMA {self.prefix}{name}({self.quote(table)})"
        ).all()

    def _has_numbers(self) -> bool:
        found = self.connection.exec_driver_sql(
            f"SELECT 1 FROM {self.prefix}sqlite_master WHERE name = 'sqlite_sequence'"
        ).scalar()
        return found is not None

    def _texts(self, kind: str) -> dict[str, str]:
        rows = self.connection.exec_driver_sql(
            f"SELECT name, sql FROM {self.prefix}sqlite_master"
            " WHERE type = ? AND lower(tbl_name) = lower(?) AND sql IS NOT NULL ORDER BY rowid",
            (kind, self.table),
        )
        return {row.name.lower() if kind == "table" else row.name: row.sql for row in rows}


def mentions(sql: str, column: str) -> bool:
    """True where a name in an expression is that of a column: SQLite takes "x" for text, too."""
    return any(
        not token.startswith("'") and name_of(token).lower() == column.lower()
        for token in tokens_of(sql)
    )
