"""Connections that only read: whatever writes through them fails."""

from typing import Any

from sqlalchemy.engine.characteristics import ConnectionCharacteristic
from sqlalchemy.ext.asyncio import AsyncEngine

from dbkit.connection.url import DatabaseURL

QUERY_ONLY = "PRAGMA query_only"  # https://www.sqlite.org/pragma.html#pragma_query_only


class _QueryOnly(ConnectionCharacteristic):
    """An option of SQLite's connections, as `postgresql_readonly` is one of PostgreSQL's.

    It is off again before the next user of a pooled connection:
    https://docs.sqlalchemy.org/en/21/core/internals.html
    """

    transactional = True

    def set_characteristic(self, _dialect: Any, connection: Any, value: Any) -> None:
        # One call of the driver's thread, where a cursor would be three.
        statement = f"{QUERY_ONLY} = {int(value)}"
        connection.run_async(lambda driver: driver.execute_fetchall(statement))

    def reset_characteristic(self, dialect: Any, connection: Any) -> None:
        self.set_characteristic(dialect, connection, False)

    def get_characteristic(self, _dialect: Any, connection: Any) -> Any:
        [(value,)] = connection.run_async(lambda driver: driver.execute_fetchall(QUERY_ONLY))
        return bool(value)


def read_only(engine: AsyncEngine) -> AsyncEngine:
    """Return `engine` with the same pool, whose transactions are read-only.

    The one connection of SQLite in memory, which all share, stays as it is.
    """
    if engine.dialect.name == "postgresql":
        return engine.execution_options(postgresql_readonly=True)
    if DatabaseURL(engine.url).in_memory:
        return engine
    dialect: Any = engine.dialect
    known = dialect.connection_characteristics
    dialect.connection_characteristics = known.union({"sqlite_query_only": _QueryOnly()})
    return engine.execution_options(sqlite_query_only=True)
