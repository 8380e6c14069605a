"""The SQL of the models' `create_all`, sent at once: a thousand tables take a fraction of the time.

https://docs.sqlalchemy.org/en/21/faq/metadata_schema.html
"""

from collections.abc import Iterable
from typing import Any
from warnings import catch_warnings

from alembic.util import CommandError
from sqlalchemy import Connection, Dialect, MetaData, Table
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.exc import SAWarning


def creating(
    metadata: MetaData, dialect: Dialect, tables: Iterable[Table] | None = None
) -> list[str]:
    """Return the statements with which `create_all` makes these tables, and what they need.

    Args:
        tables: some of the models'; all of them by default.

    Raises:
        Exception: an event listener of the service's wants an answer, and there is no database.
    """
    statements: list[str] = []

    def collect(element: Any, parameters: Any = None) -> None:
        compiled = element.compile(dialect=dialect)
        if parameters or getattr(compiled, "params", None):
            raise CommandError("a statement with values is no script")
        statements.append(str(compiled))

    chosen = None if tables is None else [*tables]
    with catch_warnings(action="ignore", category=SAWarning):  # its real run shows them
        metadata.create_all(MockConnection(dialect, collect), chosen)
    return statements


def run_script(connection: Connection, statements: Iterable[str]) -> bool:
    """Run statements of PostgreSQL's in the transaction of `connection`, in one message.

    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT

    Returns:
        Whether they ran. Where one fails, nobody knows which, and nothing has happened.
    """
    from asyncpg import PostgresError  # not above: a project on SQLite starts sooner without

    script = "\n;\n".join(statements)
    adapted: Any = connection.connection.dbapi_connection
    if not script:  # of no models; asyncpg fails at an empty script
        return True
    if adapted.autocommit:  # each statement by itself
        return False
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("SELECT 1")  # with which SQLAlchemy begins the transaction
            adapted.run_async(lambda driver: driver.execute(script))
    except PostgresError:
        return False
    return True
