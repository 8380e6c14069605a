"""Writes the baseline of a database, proves it, and records it there."""

from pathlib import Path

from alembic.util import CommandError

from dbkit.adoption import dump, sqlite
from dbkit.adoption.entries import clean_dump
from dbkit.adoption.files import Baseline, remove_files, write_baseline
from dbkit.adoption.refusals import check_committed, check_objects, check_revisions
from dbkit.checks.pictures import read_ours, take_picture
from dbkit.config import EnvironmentOptions, alembic_config
from dbkit.connection import DatabaseURL, throwaway_database
from dbkit.execution import adopt, quiet, upgrade
from dbkit.history import TABLE as HISTORY_TABLE
from dbkit.locking import reading
from dbkit.revisions import read_current
from dbkit.schema import Picture, differences, parts_of, read

OF_THE_BASELINE, OF_THE_DATABASE = "the baseline", "the database"
OF_PG_DUMP = ("table", "view", "materialized view", "foreign table", "sequence")


async def adopt_database(
    database: DatabaseURL, home: DatabaseURL, options: EnvironmentOptions, url: str, message: str
) -> str:
    """Adopt a database; prints each stage, and what differs if it is not proved.

    Args:
        database: the one to adopt, which is read, and given the two tables of the migrations.
        home: where a throwaway database is made, if it is of the same kind.
        options: what `alembic/env.py` says.
        url: that of `database`, as configured.
        message: what the baseline is called.

    Returns:
        What was done, and what to do next.

    Raises:
        CommandError: nothing was written, or is any more, and nothing was recorded; one line.
        DatabaseUnavailable: no connection.
    """
    check_committed()
    replaced = check_revisions()
    home = home if home.dialect == database.dialect else database
    sql = await _read_schema(database, home, options, url)
    baseline = write_baseline(message, sql, database.dialect)
    try:
        count = await _prove(database, home, options, baseline)
        await adopt(database, options, baseline.revision)
    except BaseException:
        baseline.remove()
        raise
    remove_files(replaced)
    return _report(database, baseline, count, replaced)


async def _read_schema(
    database: DatabaseURL, home: DatabaseURL, options: EnvironmentOptions, url: str
) -> str:
    source = database.for_reading()
    patterns = (alembic_config().get_main_option("leave_alone") or "").split()
    async with reading(source) as connection:
        if current := await read_current(connection, options):
            raise CommandError(
                f"{source.name_to_type} stands at {', '.join(current)}: it is managed already. "
                "If no revision ever ran there: alembic stamp --purge base"
            )
        await connection.run_sync(check_objects, patterns)
        await connection.rollback()
        whole = await connection.run_sync(read)
        ours = await connection.run_sync(read_ours, options)
        await _check_content(ours, home, options)
        left_out = whole.objects.keys() - ours.objects.keys()
        if database.dialect == "sqlite":
            names = {key.partition(" ")[2] for key in left_out}
            return await connection.run_sync(sqlite.read_statements, names)
    tables = [_pattern(whole, key) for key in left_out if whole.objects[key].kind in OF_PG_DUMP]
    text = dump.dump_schema(url, whole.version, sorted(tables))
    schema = options.version_table_schema
    own = [options.version_table, f"{HISTORY_TABLE}*", *([schema] if schema else [])]
    populated = {
        one.name
        for one in ours.objects.values()
        if one.kind == "materialized view" and "not populated" not in one.definition
    }
    return clean_dump(text, [*patterns, *own], populated)


async def _check_content(ours: Picture, home: DatabaseURL, options: EnvironmentOptions) -> None:
    """Raise `CommandError` if there is nothing to adopt, or nothing to compare it with."""
    async with throwaway_database(home) as empty:
        nothing = await take_picture(empty, options)
    if nothing.version != ours.version:
        raise CommandError(
            f"the database is on version {ours.version} of its server, throwaway databases on "
            f"{nothing.version}: what the baseline builds could not be compared. "
            "TEST_DATABASE_URL chooses another server"
        )
    if not [one for one in differences(nothing, ours) if one.second is not None]:
        raise CommandError(
            "the database is empty: there is nothing to adopt, and 'make migrate' builds it"
        )


def _pattern(picture: Picture, key: str) -> str:
    """Return the name of a table as a pattern of pg_dump that means nothing else."""
    parts = parts_of(picture.objects[key].name)
    return ".".join(part if part.startswith('"') else f'"{part}"' for part in parts)


async def _prove(
    database: DatabaseURL, home: DatabaseURL, options: EnvironmentOptions, baseline: Baseline
) -> int:
    """Build a throwaway database with the baseline, and compare it with the real one.

    Returns:
        The number of objects.

    Raises:
        CommandError: they differ, as printed, or the baseline cannot be run.
    """
    async with throwaway_database(home) as throwaway:
        with quiet("alembic.migrator"):  # its lines would read as if of the real database
            await upgrade(throwaway, options, (baseline.revision,))
        built = await take_picture(throwaway, options)
    found = await take_picture(database, options)
    unequal = differences(built, found)
    for difference in unequal:
        print(difference.describe(OF_THE_BASELINE, OF_THE_DATABASE))
    if unequal:
        count = "1 object differs" if len(unequal) == 1 else f"{len(unequal)} objects differ"
        raise CommandError(
            f"{count} from what the baseline builds, listed above: it was removed, and nothing was "
            "recorded (change the database, or name what is not yours in leave_alone)"
        )
    return len(found.objects)


def _report(database: DatabaseURL, baseline: Baseline, count: int, replaced: list[str]) -> str:
    lines = [
        f"wrote {baseline.path.name} and {baseline.sql.name} in alembic/versions",
        f"a throwaway database built by them equals {database.name_to_type}: {count} objects",
        f"{database.name_to_type} is adopted, at {baseline.revision}",
    ]
    lines += [f"removed {Path(path).name}, the example, which never ran here" for path in replaced]
    return "\n".join(
        [
            *lines,
            "next: commit alembic/, write the models ('Adopt a database' in alembic/README.md), "
            "and type make migration-check",
        ]
    )
