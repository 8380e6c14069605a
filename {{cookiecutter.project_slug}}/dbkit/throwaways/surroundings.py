"""What acts on revisions from outside of their files: options, the kit, the server."""

import ast
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import sqlalchemy
from sqlalchemy import MetaData

from dbkit import PROJECT
from dbkit.config import EnvironmentOptions
from dbkit.throwaways.self_contained import imported_names

# Keywords of `EnvironmentContext.configure` that only a comparison uses.
COMPARING = re.compile(
    r"(?:alembic|sqlalchemy|user)_module_prefix|autogenerate_plugins|compare_\w+|include_\w+"
    r"|process_revision_directives|render_\w+"
)


def hash_surroundings(options: EnvironmentOptions, server: str) -> bytes:
    """Return a hash of all that is the same for all revisions.

    Args:
        server: see `read_server`.

    Raises:
        OSError, TypeError, ValueError: it cannot be known.
    """
    sql = (PROJECT / "alembic").rglob("*.sql")  # which operations of the service's own may run
    files = [*_environment_files(), *sql]
    return hash_parts(server.encode(), _code(), _configured(options), *_named_content(files))


def hash_parts(*parts: bytes) -> bytes:
    """Return the SHA-256 of several values, each told apart from the next."""
    return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).digest()


def read_content(path: Path) -> bytes:
    """Return what a file of text holds, whatever its line ends."""
    return path.read_bytes().replace(b"\r\n", b"\n")


def _named_content(files: Iterable[Path]) -> Iterator[bytes]:
    for path in sorted(files):
        yield bytes(path.relative_to(PROJECT))
        yield read_content(path)


@cache
def _code() -> bytes:
    """The kit, Python, and the versions of the packages that are installed beside SQLAlchemy."""
    installed = Path(sqlalchemy.__file__).parents[1].glob("*.dist-info")
    names = [sys.version, *sorted(path.name for path in installed)]
    kit = [
        Path(folder, name)
        for folder, _, names in os.walk(PROJECT / "dbkit")  # `rglob` takes three times as long
        for name in names
        if name.endswith((".py", ".sql"))
    ]
    return hash_parts(*map(str.encode, names), *_named_content(kit))


def _configured(options: EnvironmentOptions) -> bytes:
    """The arguments of `environment.run` that act on revisions. Raises TypeError for a function."""
    acting = {
        name: each for name, each in options.configure.items() if not COMPARING.fullmatch(name)
    }
    return json.dumps(acting, sort_keys=True, default=_naming_convention).encode()


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
    return list(found)


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
