"""Compares two pictures of a schema."""

import hashlib
import json
from dataclasses import dataclass

from dbkit.schema.picture import Facets, Picture, SchemaObject

ADMINISTRATIVE = {"database", "default privileges"}  # kinds that no revision decides


@dataclass(frozen=True)
class Difference:
    """One object that two pictures do not have in common.

    Args:
        first: the object in the first picture, None where it is not there.
        second: the same in the second picture.
        facets: names of the properties that differ; empty where one of the objects is missing.
    """

    first: SchemaObject | None
    second: SchemaObject | None
    facets: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Kind and name of the object."""
        one = self.first or self.second
        assert one is not None  # noqa: S101 - for the type checker
        return one.key

    def describe(self, first: str, second: str) -> str:
        """Return a line for a reader.

        Args:
            first: what the first picture is of, such as "the revisions".
            second: the same of the second one.
        """
        if self.first is None or self.second is None:
            return f"{self.key}: only in {second if self.first is None else first}"
        before, after = _all_facets(self.first), _all_facets(self.second)
        changes = (
            f"{name}: {_shown(before.get(name))} in {first}, {_shown(after.get(name))} in {second}"
            for name in self.facets
        )
        return f"{self.key}: {'; '.join(changes)}"


def differences(
    first: Picture, second: Picture, *, administration: bool = False
) -> list[Difference]:
    """Return each object that differs; without those that go with an object that is missing.

    Args:
        first: one picture.
        second: another one, of the same version of the same database.
        administration: compare owners, privileges, the order of columns and names that the server
            makes, too.
    """
    found = []
    for key in sorted(first.objects.keys() | second.objects.keys()):
        before, after = first.objects.get(key), second.objects.get(key)
        if not administration and (before or after).kind in ADMINISTRATIVE:  # type: ignore[union-attr]
            continue
        if before is None or after is None:
            owner = (before or after).parent  # type: ignore[union-attr]
            other = second if after is None else first
            one = first if after is None else second
            if not _goes_with_missing(owner, one, other):
                found.append(Difference(before, after))
        elif facets := _changed(before, after, administration):
            found.append(Difference(before, after, facets))
    return found


def fingerprint(picture: Picture, *, administration: bool = False) -> str:
    """Return a hash of the definitions: 64 hexadecimal digits, equal for equal pictures."""
    content = [
        [key, one.definition, one.administration if administration else None]
        for key, one in picture.objects.items()
        if administration or one.kind not in ADMINISTRATIVE
    ]
    text = json.dumps([picture.dialect, picture.version, content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _goes_with_missing(parent: str | None, one: Picture, other: Picture) -> bool:
    """True where a parent is missing as well: one difference tells it."""
    while parent is not None:
        if parent in one.objects and parent not in other.objects:
            return True
        parent = one.objects[parent].parent if parent in one.objects else None
    return False


def _changed(before: SchemaObject, after: SchemaObject, administration: bool) -> tuple[str, ...]:
    if not administration:
        return _unequal(before.definition, after.definition)
    return _unequal(_all_facets(before), _all_facets(after))


def _all_facets(one: SchemaObject) -> Facets:
    return {**one.definition, **one.administration}


def _unequal(before: Facets, after: Facets) -> tuple[str, ...]:
    if before == after:  # as nearly all are
        return ()
    names = dict.fromkeys([*before, *after])
    return tuple(name for name in names if before.get(name) != after.get(name))


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if value is True:
        return "yes"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
