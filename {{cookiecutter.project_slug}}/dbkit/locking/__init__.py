"""Waits for others: one migrator at a time, who blocks a statement, and how long in all."""

from dbkit.locking.advisory_lock import LockSession, lock_holder, prepare_session, try_lock
from dbkit.locking.blockers import Blockers, watch_blockers
from dbkit.locking.wait_budget import WaitBudget

__all__ = [
    "Blockers",
    "LockSession",
    "WaitBudget",
    "lock_holder",
    "prepare_session",
    "try_lock",
    "watch_blockers",
]
