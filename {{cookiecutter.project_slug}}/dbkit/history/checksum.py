"""The checksum of a revision, by which an edit after its run is found."""

import hashlib
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationInfo

from dbkit.sql_files import find_names, read_text


def file_of(info: MigrationInfo) -> Path:
    """Return the file of the revision that a step runs."""
    script: Any = info.up_revision  # a Script, which is a Revision with a file
    return Path(script.path)


def checksum(path: Path) -> str:
    """Return the SHA-256 of a revision's text and of its SQL files, whatever their line ends.

    Raises:
        CommandError: one of those files cannot be read.
    """
    source = path.read_text(encoding="utf-8")
    texts = [source]
    for name in find_names(source):
        texts += [name, read_text(path, name)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
