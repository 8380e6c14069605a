"""What ran on a database: when, by whom and how it ended."""

from dbkit.history.consistency import check_ahead, check_unedited, find_edited
from dbkit.history.recorder import record_applied, record_failed
from dbkit.history.stamped import check_ran_here
from dbkit.history.table import TABLE, Author, Measurements, create_table, read_history

__all__ = [
    "TABLE",
    "Author",
    "Measurements",
    "check_ahead",
    "check_ran_here",
    "check_unedited",
    "create_table",
    "find_edited",
    "read_history",
    "record_applied",
    "record_failed",
]
