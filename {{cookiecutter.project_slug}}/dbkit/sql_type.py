"""A column type by its SQL, for revisions that must not import the application."""

from typing import Any

from sqlalchemy.types import UserDefinedType


class SQLType(UserDefinedType[Any]):
    """A type as the database calls it: `SQLType("geometry(Point,4326)")`.

    Autogenerate writes it for types that the service defines itself:
    https://docs.sqlalchemy.org/en/21/core/custom_types.html#sqlalchemy.types.UserDefinedType
    """

    cache_ok = True

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def get_col_spec(self, **_options: Any) -> str:
        return self.sql
