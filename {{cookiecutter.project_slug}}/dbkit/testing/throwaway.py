"""Every setting that names a database leads to a throwaway one, for the rest of the process."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dbkit.connection import (
    DatabaseURL,
    choose_throwaway,
    libpq,
    throwaway_database,
    throwaway_home,
)
from dbkit.settings import get_settings


@dataclass(frozen=True)
class Throwaway:
    """A database for the tests of this process, and the one beside which it is made."""

    database: DatabaseURL
    home: DatabaseURL

    @contextmanager
    def created(self) -> Iterator[DatabaseURL]:
        """Create it, empty, and drop it at the end. Raises `DatabaseUnavailable`."""
        with _new(self.home, self.database) as database:
            yield database

    @contextmanager
    def another(self, *, copied: bool = False) -> Iterator[DatabaseURL]:
        """Create one more, empty or a copy, and drop it at the end.

        Nobody may be connected to the database that is copied. Raises `DatabaseUnavailable`.
        """
        with _new(self.home, None, copy_of=self.database if copied else None) as database:
            yield database


def use_throwaway_database() -> Throwaway:
    """Choose a database, and let it take the configured one's place in this process's environment.

    Call it before `app` is imported: a module may ask for the database while it is imported.
    Programs that a test starts inherit the environment. The database is not created yet.

    Raises:
        SettingsError: a variable is missing or wrong.
    """
    home, settings = throwaway_home(), get_settings()
    database = choose_throwaway(home)
    url = settings.test_database_url or settings.migration_database_url or settings.database_url
    beside = url.get_secret_value()
    here = renamed(beside, database.name)
    os.environ.update(DATABASE_URL=here, MIGRATION_DATABASE_URL=here, TEST_DATABASE_URL=beside)
    if settings.database_replica_url is not None:  # no replica follows: the database itself is read
        os.environ["DATABASE_REPLICA_URL"] = here
    get_settings.cache_clear()
    return Throwaway(database, home)


def renamed(text: str, name: str) -> str:
    """Return the URL `text` with another database's name; for SQLite, the path of its file."""
    scheme, _, rest = text.strip().partition("://")
    if scheme.startswith("sqlite"):
        return f"sqlite:///{name}"
    return f"{scheme}://{libpq.rename(rest, name)}"


@contextmanager
def _new(
    home: DatabaseURL, database: DatabaseURL | None, copy_of: DatabaseURL | None = None
) -> Iterator[DatabaseURL]:
    # Without a running loop, so that a fixture can run Alembic, which starts one of its own.
    with asyncio.Runner() as runner:
        made = throwaway_database(home, database, copy_of=copy_of)
        created = runner.run(made.__aenter__())
        try:
            yield created
        finally:
            runner.run(made.__aexit__(None, None, None))
