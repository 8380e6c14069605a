"""Waits for others: one migrator at a time, who blocks a statement, and how long in all."""

from dbkit.locking.advisory_lock import is_locked, lock_holder, lock_key, try_lock
from dbkit.locking.blockers import Blockers, watch_blockers
from dbkit.locking.readers import TableLocked, find_locker, limit_wait, limited_waits, reading
from dbkit.locking.session import MigrationSession, migration_session
from dbkit.locking.wait_budget import WaitBudget

__all__ = [
    "Blockers",
    "MigrationSession",
    "TableLocked",
    "WaitBudget",
    "find_locker",
    "is_locked",
    "limit_wait",
    "limited_waits",
    "lock_holder",
    "lock_key",
    "migration_session",
    "reading",
    "try_lock",
    "watch_blockers",
]
