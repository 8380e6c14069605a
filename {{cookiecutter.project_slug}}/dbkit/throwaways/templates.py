"""Template databases on this project's own server: found by their keys, kept, dropped when old."""

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL, choose_throwaway
from dbkit.connection.beside import connect_beside
from dbkit.connection.server import create, drop, quoted
from dbkit.connection.throwaway import name_beside

KEPT = 4  # templates, the newest, beside the one that is used
WEEK, HOUR = 7 * 86_400, 3_600  # seconds
# The comment of a template; its role owns it, and it is named after the first digits of its key.
COMMENT = "template of revisions {key}, used at {used_at:.0f}"
COMMENTED = re.compile(r"template of revisions ([0-9a-f]{64}), used at ([0-9]+)")
DIGITS = 12
FIND = """
SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database
WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND shobj_description(oid, 'pg_database') LIKE 'template of revisions %'
"""
# What a database has beside its content, which a clone does not get.
PROPERTIES = """
SELECT to_jsonb(d) - ARRAY['datfrozenxid', 'datminmxid'], shobj_description(oid, 'pg_database'),
    (SELECT jsonb_agg(s ORDER BY setrole) FROM pg_db_role_setting s WHERE setdatabase = d.oid)
FROM pg_database d WHERE datname = :name
"""


@dataclass(frozen=True)
class Template:
    """A database that nobody connects to.

    Attributes:
        key: names what it holds.
        used_at: seconds since 1970, at most an hour too early.
    """

    database: DatabaseURL
    key: str
    used_at: int


async def find_templates(home: DatabaseURL, connection: AsyncConnection) -> list[Template]:
    """Return the templates of this role, the one that was used last first."""
    found = []
    for name, comment in await connection.execute(text(FIND)):
        if match := COMMENTED.fullmatch(comment):
            found.append(Template(home.named(name), match[1], int(match[2])))
    return sorted(found, key=lambda one: -one.used_at)


async def drop_old(templates: Sequence[Template], connection: AsyncConnection) -> None:
    """Drop all but the newest of `templates`, and those that nobody has used for a week.

    Args:
        templates: in the order of `find_templates`, without the one that is to be used.
    """
    oldest = time.time() - WEEK
    for number, one in enumerate(templates):
        if number >= KEPT or one.used_at < oldest:
            with suppress(DBAPIError):  # somebody clones it, or drops it, at this moment
                await connection.exec_driver_sql(f"DROP DATABASE {quoted(one.database.name)}")


async def note_use(template: Template, connection: AsyncConnection) -> None:
    """Let `template` say when it was used, if that was not just now."""
    if template.used_at < time.time() - HOUR:
        with suppress(DBAPIError):  # another process says so at this moment
            await _comment(template.database, template.key, connection)


async def read_properties(database: DatabaseURL, connection: AsyncConnection) -> object:
    """Return what a clone of `database` would lack, to be compared."""
    return (await connection.execute(text(PROPERTIES), {"name": database.name})).one_or_none()


async def keep(
    built: DatabaseURL, key: str, home: DatabaseURL, connection: AsyncConnection
) -> None:
    """Copy `built`, to which nobody is connected, to a template.

    It gets its name at the end: a copy that is not complete has another one, and whoever comes
    second has nothing to do.

    Raises:
        DBAPIError: there is one already, or the server refuses it.
    """
    copy = choose_throwaway(home)
    template = name_beside(home, f"template_{key[:DIGITS]}")
    try:
        # A superuser may connect in spite of the limit, so that pg_upgrade works.
        await create(copy, connection, built.name, "CONNECTION LIMIT 0")
        await _comment(copy, key, connection)
        await connection.exec_driver_sql(
            f"ALTER DATABASE {quoted(copy.name)} RENAME TO {quoted(template.name)}"
        )
    except BaseException:  # cancelled, the server may have made it all the same
        async with connect_beside(home) as another:
            await drop(copy, another)
        raise


async def _comment(database: DatabaseURL, key: str, connection: AsyncConnection) -> None:
    comment = COMMENT.format(key=key, used_at=time.time())
    await connection.exec_driver_sql(f"COMMENT ON DATABASE {quoted(database.name)} IS '{comment}'")
