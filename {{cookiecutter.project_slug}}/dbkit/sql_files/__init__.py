"""SQL files that belong to a revision: found in its text, read, and split into statements."""

from dbkit.sql_files.names import find_names
from dbkit.sql_files.reader import check_files, read_statements, read_text
from dbkit.sql_files.statements import NotSQL, Statement, split

__all__ = [
    "NotSQL",
    "Statement",
    "check_files",
    "find_names",
    "read_statements",
    "read_text",
    "split",
]
