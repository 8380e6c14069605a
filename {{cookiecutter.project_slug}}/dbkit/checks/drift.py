"""Drift: a live database that is not what its revisions build."""

from fnmatch import fnmatchcase

from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.connection import DatabaseURL, connect
from dbkit.history import TABLE as HISTORY_TABLE
from dbkit.schema import Picture, SchemaObject, differences, read

OF_THE_REVISIONS, OF_THE_DATABASE = "the revisions", "the database"


async def find_drift(
    database: DatabaseURL, built: DatabaseURL, options: EnvironmentOptions
) -> list[str]:
    """Print each object that differs; return a line if that is any.

    Owners, privileges and the order of columns are an administrator's, and not compared.

    Args:
        database: the live one, which is only read.
        built: one that the revisions have built up to where the live one stands.
    """
    expected, found = await _read(built, options), await _read(database, options)
    if expected.version != found.version:
        print(
            f"not compared with its revisions: the database is on version {found.version} of its "
            f"server, throwaway databases on {expected.version} (TEST_DATABASE_URL chooses it)"
        )
        return []
    drift = differences(expected, found)
    for difference in drift:
        print(difference.describe(OF_THE_REVISIONS, OF_THE_DATABASE))
    if not drift:
        return []
    count = "1 object differs" if len(drift) == 1 else f"{len(drift)} objects differ"
    return [
        f"drift: {count} from what the revisions build, listed above "
        "(write a revision, mend the database, or name what is not yours in leave_alone)"
    ]


async def _read(database: DatabaseURL, options: EnvironmentOptions) -> Picture:
    async with connect(database, autocommit=False) as connection:
        picture = await connection.run_sync(read)
    patterns = (alembic_config().get_main_option("leave_alone") or "").split()
    ours = {options.version_table, HISTORY_TABLE}
    return picture.without(lambda one: _is_left_alone(one, ours, patterns))


def _is_left_alone(one: SchemaObject, ours: set[str], patterns: list[str]) -> bool:
    """True for Alembic's table and the history, and for names that `leave_alone` has."""
    schema, _, name = one.name.rpartition(".")
    if one.kind == "table" and name.strip('"') in ours:
        return True
    names = {one.name, name.strip('"'), schema.strip('"')} - {""}
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
