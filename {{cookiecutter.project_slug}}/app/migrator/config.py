"""Alembic's configuration, for code that calls its commands."""

from io import StringIO

from alembic.config import Config

from app import PROJECT
from app.database.url import DatabaseURL


def alembic_config(database: DatabaseURL | None = None) -> Config:
    """For `alembic.command`, on `database` or on the configured one; prints nothing.

    The URL travels as an attribute: options of `Config` are interpolated, and a `%` breaks them.
    """
    config = Config(PROJECT / "alembic.ini", stdout=StringIO())
    config.attributes["database"] = database
    return config
