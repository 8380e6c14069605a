"""Alembic's comparisons of types, defaults, CHECKs and indexes, answered by two pictures.

Alembic compares SQL texts and types in Python, which servers reword: it misses changes, and sees
some that are none. The pictures hold what one server says of both sides. The two classes replace
Alembic's own by being defined: import this module wherever anything is compared, and only there.
Without pictures, Alembic's own comparison holds.
https://alembic.sqlalchemy.org/en/latest/api/ddl.html
"""

from typing import Any

from alembic.ddl.impl import ComparisonResult, DefaultImpl
from alembic.ddl.postgresql import PostgresqlImpl as AlembicsPostgresqlImpl
from sqlalchemy import (
    ClauseElement,
    Column,
    Constraint,
    Index,
    Inspector,
    Table,
    UniqueConstraint,
)
from sqlalchemy.sql.elements import conv

from dbkit.autogenerate.statements import escaped
from dbkit.autogenerate.two_pictures import PICTURES, TwoPictures, final_name, whole_name
from dbkit.schema import Facets

OWN_SEQUENCE = "nextval(own sequence)"  # as a picture has the default of a serial column


class ComparesPictures(DefaultImpl):
    """Looks up what both databases say, and leaves the rest to Alembic's class."""

    def compare_type(self, inspector_column: Column[Any], metadata_column: Column[Any]) -> bool:
        found, wanted = self.definitions_of_column(metadata_column)
        if found is None or wanted is None:
            return super().compare_type(inspector_column, metadata_column)
        return any(found.get(name) != wanted.get(name) for name in ("type", "collation"))

    def compare_server_default(
        self,
        inspector_column: Column[Any],
        metadata_column: Column[Any],
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> bool:
        found, wanted = self.definitions_of_column(metadata_column)
        if found is None or wanted is None:
            return bool(
                super().compare_server_default(  # type: ignore[no-untyped-call]
                    inspector_column,
                    metadata_column,
                    rendered_metadata_default,
                    rendered_inspector_default,
                )
            )
        return found.get("default") != wanted.get("default")

    def compare_indexes(self, metadata_index: Index, reflected_index: Index) -> ComparisonResult:
        answer = self._look_up("index", metadata_index, metadata_index.table)
        return answer or super().compare_indexes(metadata_index, reflected_index)

    def compare_unique_constraint(
        self, metadata_constraint: UniqueConstraint, reflected_constraint: UniqueConstraint
    ) -> ComparisonResult:
        answer = self._look_up("constraint", metadata_constraint, metadata_constraint.table)
        return answer or super().compare_unique_constraint(
            metadata_constraint, reflected_constraint
        )

    def render_ddl_sql_expr(
        self,
        expr: ClauseElement,
        is_server_default: bool = False,
        is_index: bool = False,
        **options: Any,
    ) -> str:
        """Return SQL as the revision has it, inside of `text`; an index's is in no `text`."""
        sql = super().render_ddl_sql_expr(expr, is_server_default, is_index=is_index, **options)
        return sql if is_index else escaped(sql)

    def definitions_of_column(self, column: Column[Any]) -> tuple[Facets | None, Facets | None]:
        """Return what both databases say of a column of the models."""
        return self._definitions("column", column.table, column.name)

    def _definitions(
        self, kind: str, table: Table | None, name: str
    ) -> tuple[Facets | None, Facets | None]:
        pictures: TwoPictures | None = self.context_opts.get(PICTURES)
        if pictures is None or table is None:
            return None, None
        # An index of PostgreSQL has its schema before its name, all else its table's, too.
        within = () if kind == "index" else (table.name,)
        return pictures.definitions(kind, table.schema, *within, name)

    def _look_up(
        self, kind: str, item: Index | Constraint, table: Table | None
    ) -> ComparisonResult | None:
        name = final_name(item, self.dialect)
        found, wanted = self._definitions(kind, table, name) if name else (None, None)
        if found is None or wanted is None:
            return None
        if found.get("definition") == wanted.get("definition"):
            return ComparisonResult.Equal()
        return ComparisonResult.Different(f"the models say {wanted.get('definition')}")


class PostgresqlImpl(ComparesPictures, AlembicsPostgresqlImpl):
    """Replaces Alembic's class of the same dialect."""

    __dialect__ = "postgresql"

    def correct_for_autogen_constraints(
        self, conn_uniques: Any, conn_indexes: Any, *metadatas: Any
    ) -> None:
        """Let what the database has have the names that models give it: Alembic compares these.

        PostgreSQL cuts them at a number of bytes, and does so wherever it is given one.
        """
        super().correct_for_autogen_constraints(  # type: ignore[no-untyped-call]
            conn_uniques, conn_indexes, *metadatas
        )
        for found, wanted in zip((conn_uniques, conn_indexes), metadatas, strict=True):
            names = {final_name(one, self.dialect): whole_name(one, self.dialect) for one in wanted}
            for one in found:
                whole = names.get(one.name)
                one.name = conv(whole) if whole else one.name

    def autogen_column_reflect(
        self, inspector: Inspector, table: Table, column_info: dict[str, Any]
    ) -> None:
        """Leave out the default of a serial column, and escape the others.

        Alembic asks the server for the column's sequence by a name as it stands in a literal, where
        quotes are doubled.
        """
        found, _ = self._definitions("column", table, column_info["name"])
        if found and found.get("default") == OWN_SEQUENCE:
            column_info.pop("default", None)
        else:
            copy = dict(column_info)
            if copy.get("default"):
                copy["default"] = copy["default"].replace("''", "'")
            super().autogen_column_reflect(inspector, table, copy)  # type: ignore[no-untyped-call]
            if "default" not in copy:
                column_info.pop("default", None)
        if default := column_info.get("default"):  # SQLAlchemy takes it for SQL with parameters
            column_info["default"] = escaped(default)
        if computed := column_info.get("computed"):
            computed["sqltext"] = escaped(computed["sqltext"])
