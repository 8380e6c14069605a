"""`lock_timeout`, which a CONCURRENTLY that somebody wrote as SQL does without."""

from sqlalchemy import Connection


class LockTimeout:
    """Of a session on PostgreSQL. It would strike while an index waits for open transactions.

    https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
    """

    def __init__(self) -> None:
        self._before: str | None = None

    def lift(self, connection: Connection) -> None:
        """Wait without end from now on."""
        self._before = connection.exec_driver_sql("SHOW lock_timeout").scalar()
        connection.exec_driver_sql("SET lock_timeout = 0")

    def restore(self, connection: Connection | None) -> None:
        """Wait as long as before, if it was lifted; nothing on a connection that is lost."""
        if self._before is not None and connection is not None and not connection.invalidated:
            before, self._before = self._before, None
            connection.exec_driver_sql(f"SET lock_timeout = '{before}'")
