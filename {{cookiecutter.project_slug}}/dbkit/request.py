"""What an Alembic command asks of `alembic/env.py`, as one typed value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.autogenerate import RevisionContext
    from alembic.runtime.migration import MigrationContext, MigrationStep

# From the revisions at which a database stands to the steps that the command wants.
FindSteps = Callable[[Any, "MigrationContext"], "Iterable[MigrationStep]"]


class Kind(Enum):
    """The kinds of commands, by what they do with a database."""

    FILES_ONLY = auto()  # history, without the database's place in it
    NEW_REVISION = auto()  # revision and merge: a file, no database
    AUTOGENERATE = auto()  # revision --autogenerate: compares with a throwaway database
    READ = auto()  # current, check, history -i
    CREATE_VERSION_TABLE = auto()  # ensure_version
    OFFLINE = auto()  # upgrade, downgrade and stamp --sql
    RUN = auto()  # upgrade, downgrade and stamp


@dataclass(frozen=True)
class Request:
    """One command.

    Args:
        find: returns the steps, given the current revisions. Commands that only read do all of
            their work in it and return no step.
        destination: the revision or revisions that an upgrade, downgrade or stamp goes to.
        purge: whether a stamp empties the version table first.
        confirm: the name of a database that may lose what a revision here did not make.
        revision_arguments: the arguments of `alembic revision` or `check`; empty for `merge`.
        revision: what `alembic revision` has to write, once its changes are found.
    """

    kind: Kind
    find: FindSteps
    destination: Any = "heads"
    purge: bool = False
    confirm: str = ""
    revision_arguments: Mapping[str, Any] = field(default_factory=dict)
    revision: "RevisionContext | None" = None
