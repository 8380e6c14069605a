"""Removes throwaway databases of commands that were killed a day ago or longer."""

import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection.server import quoted
from dbkit.connection.url import DatabaseURL

DAY, HOUR = 86_400, 3_600  # seconds
MARK = "throwaway database, made at "
# Those of this role that carry the mark, or had none yet when their command was killed and tell
# the hour by their name; and that nobody is connected to.
NAMED = "_throwaway_[0-9a-f]{12}$"
LEFTOVERS = f"""
SELECT datname FROM pg_database d, LATERAL shobj_description(oid, 'pg_database') AS said
WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND CASE WHEN said ~ '^{MARK}[0-9]+$'
        THEN substr(said, {len(MARK) + 1})::bigint < extract(epoch FROM now()) - {DAY}
        WHEN said IS NULL AND datname ~ '{NAMED}'
        THEN ('x000' || left(right(datname, 12), 5))::bit(32)::integer
            < extract(epoch FROM now()) / {HOUR} - 25 END
    AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datid = d.oid)
"""


def choose_token() -> str:
    """Return 12 hexadecimal digits for a name, of which 5 are the hours since 1970."""
    return f"{int(time.time() // HOUR):05x}{secrets.token_hex(4)[1:]}"


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
