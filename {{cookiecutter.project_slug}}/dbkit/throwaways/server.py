"""What a server contributes to a database that revisions build there."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dbkit.connection import DatabaseURL
from dbkit.connection.properties import SETTINGS, read_locale
from dbkit.settings import get_settings

# Version, user, settings of the session, extensions that there are, and the database that throwaway
# ones are copies of: its counters grow with each change of it.
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-DATABASE-VIEW
FACTS = """
SELECT jsonb_build_array(
    current_setting('server_version_num'),
    current_user,
    (SELECT jsonb_object_agg(name, setting) FROM pg_settings
        WHERE source NOT IN ('default', 'override') AND context IN ('user', 'superuser')
            AND name <> 'application_name'),
    (SELECT jsonb_object_agg(name, default_version) FROM pg_available_extensions),
    (SELECT jsonb_build_array(datid, tup_inserted, tup_updated, tup_deleted)
        FROM pg_stat_database WHERE datname = :template)
)::text
"""


ROLES = "SELECT rolname FROM pg_roles ORDER BY rolname"


@dataclass(frozen=True)
class Server:
    """What of a server counts.

    Args:
        facts: for all revisions.
        roles: for those that ask which roles there are.
    """

    facts: str
    roles: str


async def read_server(home: DatabaseURL, connection: AsyncConnection) -> Server:
    """Return what decides, beside the revisions, what they build in a throwaway beside `home`."""
    template = get_settings().test_database_template
    facts = await connection.scalar(text(FACTS), {"template": template})
    locale = await read_locale(home, connection)
    settings = await connection.scalars(text(SETTINGS), {"name": home.name})
    roles = await connection.scalars(text(ROLES))
    return Server("\n".join((facts, template, locale, *settings)), "\n".join(roles))
