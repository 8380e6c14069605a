"""What ran on a database: when, by whom and how it ended."""

from dbkit.history.consistency import (
    UnknownRevision,
    applied_rows,
    check_ahead,
    check_unedited,
    find_edited,
)
from dbkit.history.recorder import record_applied, record_failed
from dbkit.history.scope import Scope
from dbkit.history.snapshots import (
    Snapshot,
    find_gaps,
    find_snapshot,
    keep_snapshot,
    read_picture,
)
from dbkit.history.stamped import check_ran_here
from dbkit.history.storage import add_columns, create_table, read_history
from dbkit.history.summary import Summary, summarize
from dbkit.history.table import DONE, FAILED, TABLE, Author, Measurements

__all__ = [
    "DONE",
    "FAILED",
    "TABLE",
    "Author",
    "Measurements",
    "Scope",
    "Snapshot",
    "Summary",
    "UnknownRevision",
    "add_columns",
    "applied_rows",
    "check_ahead",
    "check_ran_here",
    "check_unedited",
    "create_table",
    "find_edited",
    "find_gaps",
    "find_snapshot",
    "keep_snapshot",
    "read_history",
    "read_picture",
    "record_applied",
    "record_failed",
    "summarize",
]
