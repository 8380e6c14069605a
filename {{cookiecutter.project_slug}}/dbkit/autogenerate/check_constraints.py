"""Compares CHECK constraints by their condition; Alembic compares them by name alone.

PostgreSQL rewrites conditions (`price > 0` becomes `price > (0)::numeric`), so the server rewrites
the model's too; SQLite keeps them as they were written. The two classes replace Alembic's own by
being defined: import this module wherever anything is compared, and only there.
https://alembic.sqlalchemy.org/en/latest/api/ddl.html
"""

import re

from alembic.ddl.impl import ComparisonResult
from alembic.ddl.postgresql import PostgresqlImpl as AlembicsPostgresqlImpl
from alembic.ddl.sqlite import SQLiteImpl as AlembicsSQLiteImpl
from sqlalchemy import CheckConstraint, Dialect, text
from sqlalchemy.exc import DBAPIError

from dbkit.errors import sqlstate

INSUFFICIENT_PRIVILEGE = "42501"  # https://www.postgresql.org/docs/current/errcodes-appendix.html

# https://www.postgresql.org/docs/current/catalog-pg-constraint.html
DEFINITIONS = text("""
    SELECT DISTINCT pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'c' AND (conrelid = 'pg_temp.compared_checks'::regclass
        OR conrelid = CAST(:table AS regclass) AND conname = :name)
""")


class PostgresqlImpl(AlembicsPostgresqlImpl):
    """Lets the server rewrite the model's condition, for a temporary table of the same columns."""

    __dialect__ = "postgresql"

    def compare_check_constraint(
        self, metadata_constraint: CheckConstraint, reflected_constraint: CheckConstraint
    ) -> ComparisonResult:
        if self.connection is None:
            return super().compare_check_constraint(metadata_constraint, reflected_constraint)
        wanted = _condition(metadata_constraint, self.dialect)
        table = self.dialect.identifier_preparer.format_table(reflected_constraint.table)
        attempt = self.connection.begin_nested()
        try:
            self.connection.exec_driver_sql(
                f"CREATE TEMP TABLE compared_checks (LIKE {table}, CHECK ({wanted}))"
            )
            definitions = self.connection.execute(
                DEFINITIONS, {"table": table, "name": reflected_constraint.name}
            ).all()
        except DBAPIError as error:
            if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
                return ComparisonResult.Skip("this role may not create temporary tables")
            # Most often the condition speaks of a column that is still to be added.
            return ComparisonResult.Different("the table cannot have the new condition yet")
        finally:
            attempt.rollback()
        return ComparisonResult.Equal() if len(definitions) == 1 else _different(wanted)


class SQLiteImpl(AlembicsSQLiteImpl):
    """Compares the text, without white space and the quotes around names."""

    __dialect__ = "sqlite"

    def compare_check_constraint(
        self, metadata_constraint: CheckConstraint, reflected_constraint: CheckConstraint
    ) -> ComparisonResult:
        wanted, found = (
            _condition(constraint, self.dialect)
            for constraint in (metadata_constraint, reflected_constraint)
        )
        noise = r'[\s"`\[\]]+'
        if re.sub(noise, "", wanted) == re.sub(noise, "", found):
            return ComparisonResult.Equal()
        return _different(wanted)


def _condition(constraint: CheckConstraint, dialect: Dialect) -> str:
    literals = {"literal_binds": True, "include_table": False}
    return str(constraint.sqltext.compile(dialect=dialect, compile_kwargs=literals))


def _different(condition: str) -> ComparisonResult:
    return ComparisonResult.Different(f"the model's condition is {condition}")
