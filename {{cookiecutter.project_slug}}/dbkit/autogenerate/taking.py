"""Takes the two pictures: of what the revisions build, and of what the models say."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.autogenerate.description import describe
from dbkit.autogenerate.models_database import rebuild
from dbkit.autogenerate.scope import Filters, Scope
from dbkit.autogenerate.two_pictures import ANY_SCHEMA, DECIDED, HOOK, TwoPictures
from dbkit.config import EnvironmentOptions
from dbkit.connection import DatabaseURL, connect, one_line_errors, throwaway_database
from dbkit.history import TABLE as HISTORY_TABLE
from dbkit.locking import limited_waits
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
    models = keywords["target_metadata"]
    async with AsyncExitStack() as stack:
        connection, scope = await _look(built, models, filters, options, stack)
        dialect = connection.dialect
        if await _has_room(connection, scope):  # one connection has read what it reads again
            picture = await connection.run_sync(_rebuild_and_read, scope)
        else:
            await stack.aclose()  # whoever is connected to it prevents a copy
            picture = await _picture_of_copy(built, home, scope)
    filters["include_name"] = _within(scope, filters["include_name"])
    if live is not None:
        async with AsyncExitStack() as stack:
            _, scope = await _look(live, models, filters, options, stack)
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
    database: DatabaseURL,
    models: MetaData,
    filters: Filters,
    options: EnvironmentOptions,
    stack: AsyncExitStack,
) -> tuple[AsyncConnection, Scope]:
    """Read a database; return the connection as well, which `stack` closes."""
    with one_line_errors(database):
        connection = await stack.enter_async_context(connect(database, autocommit=False))
        async with limited_waits(connection, database):
            found = await connection.run_sync(read)
    schema = connection.dialect.default_schema_name if found.dialect == "postgresql" else None
    own = frozenset((options.version_table, HISTORY_TABLE))
    return connection, Scope(models, found, filters, schema, own)


def _rebuild_and_read(connection: Connection, scope: Scope) -> Picture:
    """Build what the models say, in a transaction that is rolled back."""
    rebuild(connection, scope)
    picture = read(connection)
    connection.rollback()
    return picture


async def _picture_of_copy(built: DatabaseURL, home: DatabaseURL, scope: Scope) -> Picture:
    """Build what the models say in a copy; on PostgreSQL each statement is a transaction."""
    async with throwaway_database(home, copy_of=built) as copy:
        if copy.dialect == "sqlite":
            async with connect(copy, autocommit=False) as connection:
                return await connection.run_sync(_rebuild_and_read, scope)
        async with connect(copy) as alone:
            await alone.run_sync(rebuild, scope)
        async with connect(copy, autocommit=False) as connection:
            return await connection.run_sync(read)


async def _has_room(connection: AsyncConnection, scope: Scope) -> bool:
    """Tell whether half of the server's locks are enough to replace all tables at once."""
    if connection.dialect.name == "sqlite":
        return False
    room = (await connection.exec_driver_sql(LOCKS)).scalar_one()
    await connection.rollback()
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
