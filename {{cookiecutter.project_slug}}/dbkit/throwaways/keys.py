"""Names what revisions build: a hash of everything that decides it."""

import ast
import hashlib
import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic.script import Script, ScriptDirectory
from alembic.util import to_tuple
from sqlalchemy import MetaData

from dbkit import PROJECT
from dbkit.config import EnvironmentOptions
from dbkit.throwaways.self_contained import imported_names, is_self_contained

# Keywords of `EnvironmentContext.configure` that only a comparison uses.
COMPARING = re.compile(
    r"(?:alembic|sqlalchemy|user)_module_prefix|autogenerate_plugins|compare_\w+|include_\w+"
    r"|process_revision_directives|render_\w+"
)


@dataclass(frozen=True)
class Link:
    """A revision, its text, and the key of what it and those before it build."""

    revision: Script
    source: str
    key: str


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
        return self.links[self.known - 1].key

    @property
    def destination(self) -> tuple[str, ...]:
        """The heads of those of which it is known what they build."""
        revisions = [link.revision for link in self.links[: self.known]]
        parents = {parent for one in revisions for parent in _parents(one)}
        return tuple(one.revision for one in revisions if one.revision not in parents)


def find_links(
    script: ScriptDirectory, to: tuple[str, ...], options: EnvironmentOptions, server: str
) -> list[Link]:
    """Return the revisions up to `to`, each with its key.

    Args:
        server: what of the server decides, beside the revisions, what they build.

    Raises:
        CommandError: there are no such revisions.
        OSError, TypeError, ValueError: nobody can tell what they build.
    """
    sql = sorted((PROJECT / "alembic").rglob("*.sql"))  # which revisions run
    key = _hash(server, _code(), _configured(options), _content([*_environment_files(), *sql]))
    found: Any = script.iterate_revisions(to, (), implicit_base=True)
    links = []
    for revision in reversed(list(found)):
        source = Path(revision.path).read_text("utf-8")  # whatever its line ends
        key = _hash(key, revision.revision, source)
        links.append(Link(revision, source, key))
    return links


def make_chain(links: Sequence[Link], known: int) -> Chain:
    """Find out how far it is known what `links` build, if it is known of the first `known`."""
    rest = itertools.takewhile(lambda link: is_self_contained(link.source), links[known:])
    return Chain(links, known + sum(1 for _ in rest))


def _parents(revision: Script) -> tuple[str, ...]:
    return (*to_tuple(revision.down_revision, ()), *to_tuple(revision.dependencies, ()))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _content(files: Sequence[Path]) -> str:
    return _hash(*(f"{path.relative_to(PROJECT)}\0{path.read_text('utf-8')}" for path in files))


@cache
def _code() -> str:
    """The kit, and the versions of the packages that are installed beside SQLAlchemy."""
    installed = Path(sqlalchemy.__file__).parents[1].glob("*.dist-info")
    kit = sorted((PROJECT / "dbkit").rglob("*.py"))
    return _hash(sys.version, _content(kit), *sorted(path.name for path in installed))


def _configured(options: EnvironmentOptions) -> str:
    """The arguments of `environment.run` that act on revisions. Raises TypeError for a function."""
    acting = {
        name: each for name, each in options.configure.items() if not COMPARING.fullmatch(name)
    }
    return json.dumps(acting, sort_keys=True, default=_naming_convention)


def _naming_convention(value: object) -> object:
    if isinstance(value, MetaData):
        return dict(value.naming_convention or {}) | {"schema": value.schema}
    raise TypeError(f"{type(value).__name__} has no content that can be compared")


def _environment_files() -> list[Path]:
    """Return `env.py` and what it imports of the service, which may register operations.

    What only a function imports, as the models, is left out.
    """
    found: dict[Path, None] = {}
    todo = [PROJECT / "alembic" / "env.py"]
    while todo:
        path = todo.pop()
        if path not in found:
            found[path] = None
            tree = ast.parse(path.read_text("utf-8"))
            for name in imported_names(tree, at_once=True):
                todo += _files_of(name, path)
    return sorted(found)


def _files_of(name: str, importer: Path) -> Iterator[Path]:
    """Return the files of the service that Python reads for an import, not those of the kit."""
    absolute = name.lstrip(".")
    level = len(name) - len(absolute)
    place = importer.parents[level - 1] if level else PROJECT
    for part in absolute.split("."):
        place /= part
        if place == PROJECT / "dbkit":
            return
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                yield path
