"""Compares definitions by having the server write both of them.

PostgreSQL rewrites what it is given (`x IN (1, 2)` becomes `x = ANY …`): whether an existing
object is the wanted one shows only when the server has both.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.operations import Operations

from dbkit.operations.sql import execute, execute_afterwards, quote_table

# https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH
TEMPORARY_SCHEMA = "pg_temp"


@contextmanager
def temporary_copy(operations: Operations, name: str, schema: str | None) -> Iterator[str]:
    """Create an empty temporary table with the columns of another, for the block.

    It has the same name, in `TEMPORARY_SCHEMA`. The original is locked as by a SELECT, briefly.

    Yields:
        the quoted name with its schema.
    """
    original = quote_table(operations, name, schema)
    temporary = quote_table(operations, name, TEMPORARY_SCHEMA)
    execute(operations, f"CREATE TEMPORARY TABLE {temporary} (LIKE {original})")
    with execute_afterwards(operations, f"DROP TABLE {temporary}"):
        yield temporary
