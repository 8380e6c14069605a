"""Takes the two pictures: of what the revisions build, and of what the models say."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from sqlalchemy import Connection, Dialect, MetaData

from dbkit.autogenerate.description import describe
from dbkit.autogenerate.models_database import rebuild
from dbkit.autogenerate.scope import Filters, Scope
from dbkit.autogenerate.two_pictures import ANY_SCHEMA, DECIDED, HOOK, TwoPictures
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect, throwaway_database
from dbkit.history import TABLE as HISTORY_TABLE
from dbkit.locking import reading
from dbkit.schema import Picture, read

# https://www.postgresql.org/docs/current/runtime-config-locks.html#GUC-MAX-LOCKS-PER-TRANSACTION
LOCKS = """
SELECT current_setting('max_locks_per_transaction')::integer *
    (current_setting('max_connections')::integer
        + current_setting('max_prepared_transactions')::integer)
"""
LOCKS_OF_A_TABLE = 8  # its own, of its TOAST table and that one's index, and of its indexes


async def take_pictures(
    built: DatabaseURL,
    home: DatabaseURL,
    keywords: Mapping[str, Any],
    options: EnvironmentOptions,
    live: DatabaseURL | None = None,
) -> TwoPictures | None:
    """Build what the models say beside what the revisions have built, and look at both.

    Args:
        built: a throwaway database that stands at the newest revisions; nobody is connected to it.
        home: where another one is made.
        keywords: those of `autogenerate_options`.
        live: another database, to be looked at instead of `built`, whose schemas alone count.

    Returns:
        The pictures; None if `live` is of another version, which words definitions differently.

    Raises:
        CommandError: the database does not take what the models say.
        DatabaseUnavailable: no connection, no right to create a database, or a table of `live` is
            locked.
    """
    filters = {"include_name": keywords[ANY_SCHEMA], "include_object": keywords["include_object"]}
    scope = await _look(built, keywords["target_metadata"], filters, options)
    picture, dialect = await _models_picture(built, home, scope)
    filters["include_name"] = _within(scope, filters["include_name"])
    if live is not None:
        scope = await _look(live, keywords["target_metadata"], filters, options)
        if scope.found.version != picture.version:
            return None
    decided = (facets for name, facets in DECIDED.items() if name in options.configure)
    return TwoPictures(
        scope,
        describe(scope, scope.found, picture),
        describe(scope, picture),
        dialect,
        frozenset().union(*decided),
        HOOK in options.configure,
    )


async def _look(
    database: DatabaseURL, models: MetaData, filters: Filters, options: EnvironmentOptions
) -> Scope:
    async with reading(database) as connection:
        found = await connection.run_sync(read)
        schema = connection.dialect.default_schema_name
    own = frozenset((options.version_table, HISTORY_TABLE))
    return Scope(models, found, filters, schema if found.dialect == "postgresql" else None, own)


async def _models_picture(
    built: DatabaseURL, home: DatabaseURL, scope: Scope
) -> tuple[Picture, Dialect]:
    """Build what the models say: on PostgreSQL in a transaction that is rolled back.

    Where the server has no room for the locks of so many tables, it is a copy, without one.
    """

    def rebuild_and_read(connection: Connection) -> Picture:
        rebuild(connection, scope)
        picture = read(connection)
        connection.rollback()
        return picture

    async with AsyncExitStack() as stack:
        has_room = built.dialect == "sqlite" or await _has_room(built, scope)
        if built.dialect == "sqlite" or not has_room:
            built = await stack.enter_async_context(throwaway_database(home, copy_of=built))
        if not has_room:  # each statement is a transaction
            async with connect(built) as alone:
                await alone.run_sync(rebuild, scope)
            async with connect(built, autocommit=False) as connection:
                return await connection.run_sync(read), connection.dialect
        connection = await stack.enter_async_context(connect(built, autocommit=False))
        return await connection.run_sync(rebuild_and_read), connection.dialect


async def _has_room(database: DatabaseURL, scope: Scope) -> bool:
    """Tell whether half of the server's locks are enough to replace all tables at once."""
    async with connect(database) as connection:
        room = (await connection.exec_driver_sql(LOCKS)).scalar_one()
    wanted = LOCKS_OF_A_TABLE * (len(scope.tables) + len(scope.replaced))
    return bool(wanted < room / 2)


def _within(scope: Scope, include: Callable[..., bool]) -> Callable[..., bool]:
    """Return a filter that leaves out schemas in which neither models nor revisions have tables."""
    schemas = {key[1] for key in scope.replaced} | {table.schema for table in scope.tables}

    def include_name(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema" and name not in schemas - {scope.default_schema}:
            return name is None
        return include(name, kind, parents)

    return include_name
