"""Names what revisions build: each has a key, a hash of everything that decides its result."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.script import Script, ScriptDirectory
from alembic.util import to_tuple

from dbkit.config import EnvironmentOptions
from dbkit.revisions import may_have_changed
from dbkit.sql_files import find_names, read_text
from dbkit.throwaways.self_contained import asks_for_roles, is_self_contained
from dbkit.throwaways.server import Server
from dbkit.throwaways.surroundings import hash_parts, hash_surroundings, read_content


@dataclass(frozen=True)
class Link:
    """A revision, its file's content, and the key of what it and those before it build."""

    revision: Script
    content: bytes
    key: bytes


@dataclass(frozen=True)
class Chain:
    """Revisions in the order in which they run. The first `known` have a key that can be trusted.

    The next one is not self-contained: nobody knows what it builds, nor those after it.
    """

    links: Sequence[Link]
    known: int

    @property
    def is_complete(self) -> bool:
        """Whether it is known what all of them build."""
        return self.known == len(self.links)

    @property
    def key(self) -> str:
        """Names what those build of which it is known."""
        return self.links[self.known - 1].key.hex()

    @property
    def destination(self) -> tuple[str, ...]:
        """The heads of those of which it is known what they build."""
        revisions = [link.revision for link in self.links[: self.known]]
        parents = {parent for one in revisions for parent in _parents(one)}
        return tuple(one.revision for one in revisions if one.revision not in parents)


def find_links(
    script: ScriptDirectory, to: tuple[str, ...], options: EnvironmentOptions, server: Server
) -> list[Link]:
    """Return the revisions up to `to`, each with its key.

    Args:
        server: what of the server decides, beside the revisions, what they build.

    Raises:
        CommandError: there are no such revisions, or a file of SQL is missing.
        OSError, TypeError, ValueError: nobody can tell what they build.
    """
    key = hash_surroundings(options, server.facts)
    found: Any = script.iterate_revisions(to, (), implicit_base=True)
    links = []
    for revision in reversed(list(found)):
        if may_have_changed(revision):
            raise ValueError(f"{revision.revision} was edited after it had been read, perhaps")
        path = Path(revision.path)
        content = read_content(path)
        source = content.decode()
        others = [text for name in find_names(source) for text in (name, read_text(path, name))]
        others += [server.roles] if asks_for_roles(source) else []
        key = hash_parts(key, revision.revision.encode(), content, *map(str.encode, others))
        links.append(Link(revision, content, key))
    return links


def make_chain(links: Sequence[Link], known: int) -> Chain:
    """Find out how far it is known what `links` build, if it is known of the first `known`."""
    rest = itertools.takewhile(lambda link: is_self_contained(link.content.decode()), links[known:])
    return Chain(links, known + sum(1 for _ in rest))


def _parents(revision: Script) -> tuple[str, ...]:
    return (*to_tuple(revision.down_revision, ()), *to_tuple(revision.dependencies, ()))
