"""What others do on a database at this moment."""

import math

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Of another role's session, PostgreSQL shows when its transaction began to members of
# pg_read_all_stats alone. https://www.postgresql.org/docs/current/monitoring-stats.html
OLDEST = text("""
SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
""")
# Reads the file, which opening it alone does not do.
ANYTHING = text("SELECT count(*) FROM sqlite_master")


async def oldest_transaction(connection: AsyncConnection) -> float:
    """Return for how many seconds the oldest transaction has been open; 0 if none is.

    Returns:
        NaN on SQLite, which does not tell.
    """
    if connection.dialect.name == "sqlite":
        await connection.scalar(ANYTHING)
        return math.nan
    return float(await connection.scalar(OLDEST) or 0)
