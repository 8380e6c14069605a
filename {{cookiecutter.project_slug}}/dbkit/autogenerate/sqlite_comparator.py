"""Alembic's comparisons on SQLite, of which SQLAlchemy reflects neither all names nor collations.

The class replaces Alembic's own by being defined, as those of `comparators`.
"""

from itertools import chain
from typing import Any

from alembic.ddl.impl import ComparisonResult
from alembic.ddl.sqlite import SQLiteImpl as AlembicsSQLiteImpl
from sqlalchemy import Inspector, String, Table, UniqueConstraint

from dbkit.autogenerate.comparators import ComparesPictures
from dbkit.autogenerate.sqlite_names import name_foreign_keys, unique_constraints
from dbkit.autogenerate.statements import escaped
from dbkit.operations.sqlite_batches.expressions import as_default
from dbkit.operations.sqlite_batches.ordered_keys import CONFLICT


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

    def compare_unique_constraint(
        self, metadata_constraint: UniqueConstraint, reflected_constraint: UniqueConstraint
    ) -> ComparisonResult:
        """Compare ON CONFLICT, and the columns in their order, which is that of the index."""
        found, wanted = (
            [str(one.dialect_kwargs.get(CONFLICT)).upper(), *(item.name for item in one.columns)]
            for one in (reflected_constraint, metadata_constraint)
        )
        if found == wanted:
            return ComparisonResult.Equal()
        return ComparisonResult.Different(f"the models say {', '.join(wanted[1:])}")

    def autogen_column_reflect(
        self, inspector: Inspector, table: Table, column_info: dict[str, Any]
    ) -> None:
        """Give a column what the downgrade needs: its default and expression as SQL, its collation.

        SQLAlchemy takes `:x` in a default for a parameter, loses the expression of a column whose
        name has a quote in it, and does not reflect collations.
        """
        if column_info["default"] is not None:
            column_info["default"] = escaped(as_default(column_info["default"]))
        found, _ = self._definitions("column", table, column_info["name"])
        if found and "computed" in found and "computed" in column_info:
            expression = str(found["computed"]).rpartition(" ")[0]
            column_info["computed"]["sqltext"] = escaped(expression[1:-1])
        if found and "collation" in found and isinstance(column_info["type"], String):
            column_info["type"].collation = found["collation"]
