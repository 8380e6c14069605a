"""Alembic's comparisons on SQLite, of which SQLAlchemy reflects neither all names nor collations.

The class replaces Alembic's own by being defined, as those of `comparators`.
"""

from itertools import chain
from typing import Any

from alembic.ddl.sqlite import SQLiteImpl as AlembicsSQLiteImpl
from sqlalchemy import Inspector, String, Table

from dbkit.autogenerate.comparators import ComparesPictures
from dbkit.autogenerate.sqlite_names import name_foreign_keys, unique_constraints


class SQLiteImpl(ComparesPictures, AlembicsSQLiteImpl):
    """Replaces Alembic's class of the same dialect."""

    __dialect__ = "sqlite"

    def correct_for_autogen_constraints(
        self, conn_unique_constraints: Any, conn_indexes: Any, *metadatas: Any
    ) -> None:
        """Let constraints that the database has have their own names."""
        items = [*conn_unique_constraints, *conn_indexes, *chain.from_iterable(metadatas)]
        found = unique_constraints(self.connection, items) if self.connection else None
        if found is not None:
            conn_unique_constraints.clear()
            conn_unique_constraints.update(found)
        super().correct_for_autogen_constraints(  # type: ignore[no-untyped-call]
            conn_unique_constraints, conn_indexes, *metadatas
        )

    def correct_for_autogen_foreignkeys(self, conn_fks: Any, metadata_fks: Any) -> None:
        """Let foreign keys that the database has have their own names."""
        if self.connection is not None:
            name_foreign_keys(self.connection, conn_fks)
        super().correct_for_autogen_foreignkeys(conn_fks, metadata_fks)

    def autogen_column_reflect(
        self, inspector: Inspector, table: Table, column_info: dict[str, Any]
    ) -> None:
        """Give a column the collation that SQLAlchemy does not reflect, for the downgrade."""
        super().autogen_column_reflect(inspector, table, column_info)
        found, _ = self._definitions("column", table, column_info["name"])
        if found and "collation" in found and isinstance(column_info["type"], String):
            column_info["type"].collation = found["collation"]
