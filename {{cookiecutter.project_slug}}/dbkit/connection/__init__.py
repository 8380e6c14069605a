"""Any `DATABASE_URL` → a connection; throwaway databases; errors of one line."""

from dbkit.connection.beside import shared_connections
from dbkit.connection.configured import (
    app_database,
    migration_database,
    replica_database,
    throwaway_home,
)
from dbkit.connection.engine import create_engine
from dbkit.connection.failures import GRANTS, explain, one_line_errors
from dbkit.connection.idle import try_idle_connections
from dbkit.connection.pool import FairPool
from dbkit.connection.replica import Readers
from dbkit.connection.server import connect
from dbkit.connection.sharing import share_query
from dbkit.connection.throwaway import choose_throwaway, throwaway_database
from dbkit.connection.time_limit import query_within
from dbkit.connection.unavailable import close, report_unavailable, unavailable_reason
from dbkit.connection.url import DatabaseURL

__all__ = [
    "GRANTS",
    "DatabaseURL",
    "FairPool",
    "Readers",
    "app_database",
    "choose_throwaway",
    "close",
    "connect",
    "create_engine",
    "explain",
    "migration_database",
    "one_line_errors",
    "query_within",
    "replica_database",
    "report_unavailable",
    "share_query",
    "shared_connections",
    "throwaway_database",
    "throwaway_home",
    "try_idle_connections",
    "unavailable_reason",
]
