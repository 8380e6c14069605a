"""A revision runs in one transaction or in autocommit, never in both."""

from dbkit.transactions.boundary import MixedTransactionModes
from dbkit.transactions.context import GuardedContext, autocommit_operation, note_revision
from dbkit.transactions.guard import TransactionGuard
from dbkit.transactions.static_check import check_source
from dbkit.transactions.timer import TransactionTimer

__all__ = [
    "GuardedContext",
    "MixedTransactionModes",
    "TransactionGuard",
    "TransactionTimer",
    "autocommit_operation",
    "check_source",
    "note_revision",
]
