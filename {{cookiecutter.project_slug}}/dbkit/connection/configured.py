"""The databases that the settings name: the app's, that of migrations, that of tests."""

from dataclasses import replace

from dbkit.connection.libpq_options import CACHES
from dbkit.connection.url import DatabaseURL, DatabaseURLError, parse_database_url
from dbkit.errors import SettingsError
from dbkit.settings import get_settings


def configured_database(*variables: str) -> DatabaseURL:
    """The database that the first of `variables` names which is set, `DATABASE_URL` the last.

    Raises:
        SettingsError: names the variable and what is wrong with it.
    """
    settings = get_settings()
    for variable in (*variables, "DATABASE_URL"):
        secret = getattr(settings, variable.lower())
        if secret is not None:
            try:
                return parse_database_url(secret.get_secret_value())
            except DatabaseURLError as error:
                raise DatabaseURLError(f"{variable}: {error}") from None
    raise SettingsError("DATABASE_URL: field required")


def app_database() -> DatabaseURL:
    """Where the application keeps its data: `DATABASE_URL`.

    Behind a pooler that `DATABASE_POOLER` names, no statement stays prepared: the next one may go
    to another session.
    """
    return _past_caches(configured_database())


def _past_caches(database: DatabaseURL) -> DatabaseURL:
    if get_settings().database_pooler is None or database.dialect == "sqlite":
        return database
    return replace(database, connect_args=database.connect_args | dict.fromkeys(CACHES, 0))


def replica_database() -> DatabaseURL | None:
    """A server that is only read, beside the one of `DATABASE_URL`: `DATABASE_REPLICA_URL`.

    Returns:
        None where there is no such server, or where it is the database itself.

    Raises:
        SettingsError: the URL is wrong, or one of both databases is SQLite, which has no replica.
    """
    if get_settings().database_replica_url is None:
        return None
    primary, replica = app_database(), _past_caches(configured_database("DATABASE_REPLICA_URL"))
    if replica == primary:
        return None
    if "sqlite" in (primary.dialect, replica.dialect):
        raise SettingsError("DATABASE_REPLICA_URL: SQLite has no replica; unset it")
    return replica


def migration_database() -> DatabaseURL:
    """The same past a pooler, and on the primary of several servers: `MIGRATION_DATABASE_URL`."""
    return configured_database("MIGRATION_DATABASE_URL").on_primary()


def throwaway_home() -> DatabaseURL:
    """Beside which database throwaway ones are made: `TEST_DATABASE_URL`, on the primary."""
    return configured_database("TEST_DATABASE_URL", "MIGRATION_DATABASE_URL").on_primary()
