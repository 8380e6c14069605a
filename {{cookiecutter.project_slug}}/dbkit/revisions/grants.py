"""Why a user cannot read at which revision a database stands: the GRANT that is missing."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.errors import DatabaseUnavailable

# A schema that a user may not use is left out when a name is looked for in the search path.
# https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH
TABLES = text("""
SELECT quote_ident(n.nspname) AS schema, quote_ident(c.relname) AS name,
    has_schema_privilege(n.oid, 'USAGE') AS may_use,
    has_table_privilege(c.oid, 'SELECT') AS may_read, row_security_active(c.oid) AS hides_rows
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = :name AND c.relkind IN ('r', 'p')
    AND CASE WHEN CAST(:schema AS text) IS NULL THEN n.nspname = ANY (ARRAY(
            SELECT replace(btrim(entry, ' "'), '$user', current_user)
            FROM unnest(string_to_array(current_setting('search_path'), ',')) AS path (entry)))
        ELSE n.nspname = :schema END
""")


class UnreadableRevisions(DatabaseUnavailable):
    """The database answers, and does not show at which revision it stands."""


async def check_readable(connection: AsyncConnection, name: str, schema: str | None) -> None:
    """Raise `UnreadableRevisions` if there is a version table that this user cannot read.

    The message names no user: it may be shown to whoever asks for the application's health.
    """
    for row in await connection.execute(TABLES, {"name": name, "schema": schema}):
        if not row.may_use:
            missing = f"GRANT USAGE ON SCHEMA {row.schema}"
        elif not row.may_read:
            missing = f"GRANT SELECT ON {row.schema}.{row.name}"
        elif row.hides_rows:
            raise UnreadableRevisions(f"row-level security hides {row.name} from this user")
        else:
            continue
        raise UnreadableRevisions(f"this user lacks {missing}")
