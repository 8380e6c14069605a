"""Removes throwaway databases of commands that were killed a day ago or longer."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection.server import quoted
from dbkit.connection.url import DatabaseURL

DAY = 86_400  # seconds
MARK = "throwaway database, made at "
# Those of this role that carry the mark, and that nobody is connected to.
LEFTOVERS = f"""
SELECT datname FROM pg_database d
WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND CASE WHEN shobj_description(oid, 'pg_database') ~ '^{MARK}[0-9]+$'
        THEN substr(shobj_description(oid, 'pg_database'), {len(MARK) + 1})::bigint
            < extract(epoch FROM now()) - {DAY} END
    AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datid = d.oid)
"""


async def mark(throwaway: DatabaseURL, connection: AsyncConnection) -> None:
    """Let a database say what it is, and since when."""
    await connection.exec_driver_sql(
        f"COMMENT ON DATABASE {quoted(throwaway.name)} IS '{MARK}{time.time():.0f}'"
    )


async def drop_leftovers(connection: AsyncConnection) -> None:
    """Drop those of a server that are old."""
    for name in await connection.scalars(text(LEFTOVERS)):
        with suppress(DBAPIError):  # somebody connects to it, or drops it, at this moment
            await connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted(name)}")


def remove_leftovers(folder: Path) -> None:
    """Remove the folders of SQLite databases that are old."""
    for path in folder.glob(".throwaway-*"):
        try:
            if path.stat().st_mtime < time.time() - DAY:
                shutil.rmtree(path, ignore_errors=True)
        except FileNotFoundError:  # another process has removed it
            continue
