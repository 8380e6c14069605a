"""What a PostgreSQL database has been given, so that another one can be made like it."""

import re
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection.server import connect, quoted
from dbkit.connection.url import DatabaseURL

# https://www.postgresql.org/docs/current/catalog-pg-database.html, whose columns differ by version.
LOCALE = """
SELECT pg_encoding_to_char(encoding) AS encoding, datcollate, datctype,
    to_jsonb(d) ->> 'datlocprovider' AS provider,
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale
FROM pg_database d WHERE datname = :name
"""
# https://www.postgresql.org/docs/current/catalog-pg-db-role-setting.html
SETTINGS = """
SELECT setting FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
    unnest(setconfig) AS setting
WHERE datname = :name
    AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
    AND setting !~ '^(default_transaction_read_only|[a-z_]+_timeout)='
ORDER BY setrole
"""
PROVIDERS = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}
NAMES = re.compile(r'"((?:[^"]|"")*)"|([^,\s"]+)')  # of a search path


async def read_locale(database: DatabaseURL, connection: AsyncConnection) -> str:
    """Return options of CREATE DATABASE for the encoding and collation that `database` has.

    Nothing, where it does not exist.
    """
    found = (await connection.execute(text(LOCALE), {"name": database.name})).one_or_none()
    if found is None:
        return ""
    options = {
        "ENCODING": found.encoding,
        "LC_COLLATE": found.datcollate,
        "LC_CTYPE": found.datctype,
    }
    if found.provider in PROVIDERS:
        provider, option = PROVIDERS[found.provider]
        options |= {"LOCALE_PROVIDER": provider, option: found.locale}
    return " ".join(f"{name} '{value}'" for name, value in options.items())


async def copy_settings(
    database: DatabaseURL, target: DatabaseURL, connection: AsyncConnection
) -> None:
    """Give `target` what ALTER DATABASE … SET, or ALTER ROLE … IN DATABASE, gives `database`.

    What protects the data, and what this user may not set, is left out. A schema in which the
    session creates its tables is made, if its search path names none that is there.
    """
    path = str(await connection.scalar(text("SHOW search_path")))
    for setting in await connection.scalars(text(SETTINGS), {"name": database.name}):
        name, _, value = setting.partition("=")
        path = value if name == "search_path" else path
        with suppress(DBAPIError):
            await connection.execute(
                text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value}
            )
            await connection.exec_driver_sql(
                f"ALTER DATABASE {quoted(target.name)} SET {name} FROM CURRENT"
            )
        with suppress(DBAPIError):  # others may use this session afterwards
            await connection.exec_driver_sql(f"RESET {name}")
    schemas = ["".join(found).replace('""', '"') for found in NAMES.findall(path)]
    if schemas and "public" not in schemas:
        async with connect(target) as session:
            if await session.scalar(text("SELECT current_schema()")) is None:
                user = str(await session.scalar(text("SELECT current_user")))
                schema = user if schemas[0] == "$user" else schemas[0]
                await session.exec_driver_sql(f"CREATE SCHEMA {quoted(schema)}")
