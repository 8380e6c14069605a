"""The revision files of this checkout: read, and named when a new one is written."""

from dbkit.revisions.errors import MigrationError, is_lock_error, one_line, several_heads
from dbkit.revisions.failures import Running
from dbkit.revisions.grants import UnreadableRevisions
from dbkit.revisions.loader import (
    is_baseline,
    is_known,
    known_revisions,
    load_files,
    may_have_changed,
    scripts,
    with_ancestors,
)
from dbkit.revisions.status import Status, compare_revisions, read_current

__all__ = [
    "MigrationError",
    "Running",
    "Status",
    "UnreadableRevisions",
    "compare_revisions",
    "is_baseline",
    "is_known",
    "is_lock_error",
    "known_revisions",
    "load_files",
    "may_have_changed",
    "one_line",
    "read_current",
    "scripts",
    "several_heads",
    "with_ancestors",
]
