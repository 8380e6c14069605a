"""Indexes that somebody builds or drops at this moment: no part of a schema yet, or any more."""

from sqlalchemy import Connection, text

from dbkit.schema.picture import Picture

# Whoever builds an index with CONCURRENTLY holds this lock on its table, until it is valid.
# https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
# VACUUM and ANALYZE take it as well; a worker of autovacuum is no user.
UNDER_CONSTRUCTION = text("""
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
  AND EXISTS (
      SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
      WHERE l.relation = i.indrelid AND l.locktype = 'relation' AND a.usesysid IS NOT NULL
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
        AND l.pid NOT IN (
            SELECT pid FROM pg_stat_progress_vacuum UNION ALL
            SELECT pid FROM pg_stat_progress_analyze
        )
  )
""")


def find_under_construction(connection: Connection) -> set[str]:
    """Return the names of indexes that somebody builds or drops at this moment."""
    if connection.dialect.name == "sqlite":
        return set()
    return set(connection.scalars(UNDER_CONSTRUCTION))


def without_indexes(picture: Picture, indexes: set[str]) -> Picture:
    """Return the picture without these indexes."""
    return picture.without(lambda one: one.kind == "index" and one.name in indexes)
