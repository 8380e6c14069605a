"""The revision files of this checkout: read, and named when a new one is written."""

from dbkit.revisions.errors import several_heads
from dbkit.revisions.loader import (
    is_known,
    known_revisions,
    load_files,
    missing_parent,
    scripts,
    with_ancestors,
)
from dbkit.revisions.status import Status, compare_revisions, read_current

__all__ = [
    "Status",
    "compare_revisions",
    "is_known",
    "known_revisions",
    "load_files",
    "missing_parent",
    "read_current",
    "scripts",
    "several_heads",
    "with_ancestors",
]
