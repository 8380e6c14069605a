"""A schema as plain data: each object with its definition, in the server's own words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Facets = Mapping[str, Any]


@dataclass(frozen=True)
class SchemaObject:
    """One table, column, index, function or other object.

    Args:
        kind: `table`, `column`, `constraint`, `index`, `trigger` and so on.
        name: with its schema, quoted where SQL needs it; unique among those of its kind.
        parent: the key of the object that it goes with, as a column goes with its table.
        definition: what a revision decides, by the name of each property. What is absent is off.
        administration: what an administrator decides: owner, privileges, a column's position.
    """

    kind: str
    name: str
    parent: str | None
    definition: Facets
    administration: Facets

    @property
    def key(self) -> str:
        """Kind and name, as `parent` has them and messages show them."""
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Picture:
    """All objects of a database.

    Args:
        dialect: `postgresql` or `sqlite`.
        version: of the server, such as 15 or 3040. Two versions word definitions differently, so
            only pictures of the same one can be compared.
        objects: by key, in order of kinds and names.
    """

    dialect: str
    version: int
    objects: Mapping[str, SchemaObject]

    @classmethod
    def of(cls, dialect: str, version: int, objects: Iterable[SchemaObject]) -> "Picture":
        """Make a picture of objects in any order."""
        return cls(dialect, version, {one.key: one for one in sorted(objects, key=_sort_key)})

    def without(self, is_left_out: Callable[[SchemaObject], bool]) -> "Picture":
        """Return the same picture without some objects, and without what goes with them."""
        left_out = {key for key, one in self.objects.items() if is_left_out(one)}
        if not left_out:
            return self
        kept = {
            key: one for key, one in self.objects.items() if left_out.isdisjoint(self._lineage(one))
        }
        return Picture(self.dialect, self.version, kept)

    def sharing(self, other: "Picture") -> "Picture":
        """Return the same picture, with objects of another one where they are equal."""
        shared = {
            key: other.objects[key] if other.objects.get(key) == one else one
            for key, one in self.objects.items()
        }
        return Picture(self.dialect, self.version, shared)

    def _lineage(self, one: SchemaObject) -> Iterator[str]:
        """The key of an object, of its parent, and of the parent's."""
        key: str | None = one.key
        while key is not None and key in self.objects:
            yield key
            key = self.objects[key].parent


def without_defaults(facets: Mapping[str, Any]) -> Facets:
    """Leave out what is off or unset: a definition says only what is special."""
    return {
        name: value for name, value in facets.items() if value is not None and value is not False
    }


def _sort_key(one: SchemaObject) -> tuple[str, str]:
    return one.kind, one.name
