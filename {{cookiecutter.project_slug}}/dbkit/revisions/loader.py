"""Reads the revision files of this checkout."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError, to_tuple

from dbkit.config import alembic_config
from dbkit.errors import error_text
from dbkit.revisions.errors import location_in, missing_parent

STARTED = time.time()  # no revision was read before: this module reads them


@cache
def scripts() -> ScriptDirectory:
    """Return the revisions of this checkout, read once: they do not change while a process runs.

    Raises:
        CommandError: one of the files cannot be read, or is missing.
    """
    directory = ScriptDirectory.from_config(alembic_config())
    load_files(directory)
    return directory


def load_files(directory: ScriptDirectory) -> None:
    """Read all files of `directory`, which Alembic would otherwise do at first use.

    Raises:
        CommandError: one of the files cannot be read, or is missing; names the file and its line.
    """
    with _file_errors(Path(directory.versions)):
        directory.get_heads()


@contextmanager
def _file_errors(versions: Path) -> Iterator[None]:
    try:
        yield
    except CommandError:
        raise
    except (Exception, SystemExit) as error:
        location = location_in(versions, error) or versions.name
        message = missing_parent(error) or f"{location}: {error_text(error)}"
        raise CommandError(message) from error


def known_revisions(directory: ScriptDirectory) -> set[str]:
    """Return the identifiers of all revisions of this checkout."""
    return {script.revision for script in directory.walk_revisions()}


def is_known(directory: ScriptDirectory, name: str) -> bool:
    """Tell whether `name` is the whole identifier of a revision of this checkout."""
    try:
        revision = directory.get_revision(name)
    except CommandError:
        return False
    return revision is not None and revision.revision == name  # None for `base`


def may_have_changed(revision: Script) -> bool:
    """Tell whether a file was written since this process began, which may have read it before."""
    return Path(revision.path).stat().st_mtime >= STARTED


def is_baseline(revision: Script) -> bool:
    """Tell whether a revision builds what was there before all revisions: nothing reverts it."""
    return bool(getattr(revision.module, "is_baseline", False))


def with_ancestors(directory: ScriptDirectory, names: Iterable[str]) -> set[str]:
    """Return the revisions `names`, all their parents, and what they depend on."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            revision = directory.get_revision(name)
            todo += to_tuple(revision.down_revision, default=())
            todo += to_tuple(revision.dependencies, default=())
    return found
