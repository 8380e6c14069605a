"""Whether a CHECK constraint of the same name still says the same.

Alembic compares CHECK constraints by name. Here the condition counts too: PostgreSQL rewrites
conditions (`price > 0` becomes `price > (0)::numeric`), so it is asked itself; SQLite keeps them
as they were written. The two classes take the place of Alembic's own by being defined.
"""

import re

from alembic.ddl.impl import ComparisonResult
from alembic.ddl.postgresql import PostgresqlImpl as AlembicsPostgresqlImpl
from alembic.ddl.sqlite import SQLiteImpl as AlembicsSQLiteImpl
from sqlalchemy import CheckConstraint, Dialect, text
from sqlalchemy.exc import DBAPIError

from dbkit.errors import sqlstate

# https://www.postgresql.org/docs/current/errcodes-appendix.html
INSUFFICIENT_PRIVILEGE = "42501"


def _condition(constraint: CheckConstraint, dialect: Dialect) -> str:
    literals = {"literal_binds": True, "include_table": False}
    return str(constraint.sqltext.compile(dialect=dialect, compile_kwargs=literals))


class PostgresqlImpl(AlembicsPostgresqlImpl):
    """Gives the model's condition to a temporary table of the same columns, and reads it back."""

    __dialect__ = "postgresql"

    def compare_check_constraint(
        self, metadata_constraint: CheckConstraint, reflected_constraint: CheckConstraint
    ) -> ComparisonResult:
        if self.connection is None:
            return super().compare_check_constraint(metadata_constraint, reflected_constraint)
        table = reflected_constraint.table
        wanted = _condition(metadata_constraint, self.dialect)
        name = self.dialect.identifier_preparer.format_table(table)
        attempt = self.connection.begin_nested()
        try:
            self.connection.exec_driver_sql(
                f"CREATE TEMP TABLE compared_checks (LIKE {name}, CHECK ({wanted}))"
            )
            # https://www.postgresql.org/docs/current/catalog-pg-constraint.html
            meanings = self.connection.execute(
                text(
                    "SELECT DISTINCT pg_get_constraintdef(oid) FROM pg_constraint"
                    " WHERE contype = 'c' AND (conrelid = 'pg_temp.compared_checks'::regclass"
                    " OR conrelid = CAST(:table AS regclass) AND conname = :name)"
                ),
                {"table": name, "name": reflected_constraint.name},
            ).all()
        except DBAPIError as error:
            if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
                return ComparisonResult.Skip("this role may not create temporary tables")
            # Most often it speaks of a column that is still to be added.
            return ComparisonResult.Different("the table cannot have the new condition yet")
        finally:
            attempt.rollback()
        return ComparisonResult.Equal() if len(meanings) == 1 else _changed(wanted)


class SQLiteImpl(AlembicsSQLiteImpl):
    """Compares the text, leaving aside white space and the quotes around names."""

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
        return _changed(wanted)


def _changed(condition: str) -> ComparisonResult:
    return ComparisonResult.Different(f"it is to be {condition}")
