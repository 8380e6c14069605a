"""Lets SQLite's messages name the table that a batch copies, and not Alembic's temporary copy."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError

from dbkit.errors import driver_error

TAKEN = "already exists"  # such a table is there from before, and has that name


@contextmanager
def naming_table(table: str, copy: str) -> Iterator[None]:
    """Put the name of a table into errors raised inside, which stay what they are.

    SQLite says `NOT NULL constraint failed: _alembic_tmp_users.email`; of a CHECK, only its name.

    Args:
        table: the one that the revision names.
        copy: the name of its copy, which Alembic cuts.
    """
    try:
        yield
    except DBAPIError as error:
        original = driver_error(error)
        message = str(original)
        if TAKEN not in message:
            message = message.replace(copy, table)
        if isinstance(error, IntegrityError) and f"{table}." not in message:
            message += f", in table {table}"
        original.args = (message,)
        raise
