"""Tries the revision of a change: A, the models before and the revision, against B, the models after.

What writes and runs it is an argument; `our_writer` has the kit's.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, MetaData

from dbkit.schema import Difference, Picture, differences, read
from support.random_models.databases import build, clear, picture_of
from support.random_models.models import Models


class Revision(Protocol):
    """A revision that was written for the database of a connection, and can be run there."""

    text: str  # of the file, for a reader
    is_empty: bool

    def upgrade(self) -> None:
        """Run it. All is committed at the end, and no transaction is open."""

    def downgrade(self) -> None:
        """Run its downgrade."""


# Writes the revision that brings a database from what the picture shows to what metadata says.
Writer = Callable[[Connection, MetaData, Picture], Revision]


@dataclass
class Failure:
    """What went wrong.

    Args:
        stage: `write`, `up`, `A is not B`, `not empty`, `down` or `down leaves`.
        text: what a reader needs to know.
        kind: the same for the same fault, whatever the names are.
        revision: the file.
    """

    stage: str
    text: str
    kind: str
    revision: str = ""


def attempt(a: Connection, b: Connection, before: Models, after: Models, write: Writer) -> Failure | None:
    """Return the first thing that goes wrong; None if nothing.

    Required are: the revision is written; it runs; A is B then; another one would be empty; the
    downgrade runs; A is what it was.

    Args:
        a: an empty database.
        b: another one.
        write: is given `a`, the metadata of the models after, and the picture of `a`.
    """
    mixed = after.shuffled(random.Random(0))  # noqa: S311 - no secret
    wanted = picture_of(b, mixed, before.schemas | after.schemas)  # no revision drops a schema
    try:
        build(a, before, before.schemas)
        return _attempt(a, read(a), wanted, after, write)
    finally:
        clear(a)


def _attempt(a: Connection, old: Picture, wanted: Picture, after: Models, write: Writer) -> Failure | None:
    stage, text = "write", ""
    try:
        revision = write(a, after.metadata(), old)
        stage, text = "up", revision.text
        revision.upgrade()
        now = read(a)
        if found := differences(now, wanted):
            return _left("A is not B", found, text)
        stage = "write again"
        again = write(a, after.metadata(), now)
        if not again.is_empty:
            return Failure("not empty", again.text, "", text)
        stage = "down"
        revision.downgrade()
    except Exception as error:
        return _raised(stage, error, text)
    if found := differences(read(a), old):
        return _left("down leaves", found, text)
    return None


def _raised(stage: str, error: Exception, revision: str) -> Failure:
    first = next(iter(str(error).splitlines()), "")
    kind = re.sub(r"""(["']).*?\1|\d+""", "…", first)
    return Failure(stage, f"{type(error).__name__}: {error}", f"{type(error).__name__}: {kind}", revision)


def _left(stage: str, found: list[Difference], revision: str) -> Failure:
    kinds = set()
    for one in found:
        what = "/".join(one.facets) or ("too much" if one.second is None else "missing")
        kinds.add(f"{one.key.partition(' ')[0]} {what}")
    text = "\n".join(one.describe("A", "B" if stage == "A is not B" else "A before") for one in found)
    return Failure(stage, text, ", ".join(sorted(kinds)), revision)
