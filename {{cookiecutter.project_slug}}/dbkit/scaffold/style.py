"""Reads `scaffold/resource.toml`: what a new resource consists of is the service's to say."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from string import Template

from dbkit import PROJECT

FOLDER = PROJECT / "scaffold"
FILE = FOLDER / "resource.toml"


class ScaffoldError(Exception):
    """What was typed cannot be written. Its text is one line."""


@dataclass(frozen=True)
class Kind:
    """A type of fields.

    Args:
        python: the type of the model's attribute.
        column: arguments of `mapped_column`, if the type alone does not say enough.
        schema: the type in a schema.
        samples: two values in JSON, as Python writes them.
        is_indexable: whether any value fits into an index.
    """

    python: str
    column: str
    schema: str
    samples: tuple[str, str]
    is_indexable: bool = True


@dataclass(frozen=True)
class Style:
    """What the file says: see the comments in it."""

    default: str
    left_out: str
    files: Mapping[str, str]
    parts: Mapping[str, str]
    refused_fields: Collection[str]
    refused_models: Collection[str]
    kinds: Mapping[str, Kind]


def read_style() -> Style:
    """Return what `scaffold/resource.toml` says. Raises `ScaffoldError`: it cannot be read."""
    try:
        found = tomllib.loads(FILE.read_text("utf-8"))
        return Style(
            found["default"],
            found["left_out"],
            found["files"],
            found["parts"],
            found["refused"]["fields"],
            found["refused"]["models"],
            {name: Kind(**kind) for name, kind in found["types"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScaffoldError(f"scaffold/{FILE.name}: {type(error).__name__}: {error}") from None


def fill(name: str, values: Mapping[str, str]) -> str:
    """Return a template of `scaffold/` with its values. Raises `ScaffoldError`: it cannot be."""
    try:
        return Template((FOLDER / name).read_text("utf-8")).substitute(values)
    except (OSError, ValueError, KeyError) as error:
        raise ScaffoldError(f"scaffold/{name}: {type(error).__name__}: {error}") from None
