"""What the revisions have built and what the models say, as pictures of two real databases."""

from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Constraint, Dialect, Index

from dbkit.autogenerate.description import describe
from dbkit.autogenerate.own_filters import is_included
from dbkit.autogenerate.properties import LONGEST_NAME
from dbkit.autogenerate.scope import Scope
from dbkit.schema import Difference, Facets, Picture, SchemaObject, differences

PICTURES = "pictures"  # the option of `configure` that holds them
# The option with the filter of names for throwaway databases, which hold nothing of others.
ANY_SCHEMA = "include_name_of_any_schema"
# Keywords of `configure`, and the properties that they decide.
DECIDED = {"compare_type": {"type", "collation"}, "compare_server_default": {"default"}}
HOOK = "process_revision_directives"


@dataclass(frozen=True)
class TwoPictures:
    """What is compared.

    Args:
        scope: what models can describe.
        found: that part of what a database holds.
        wanted: what the models say.
        dialect: that of the databases.
        decided: properties of columns that functions of the service's compare.
        has_hook: a function of the service's is shown what is written.
        own_changes: is filled where that function has changed what is written: it knows best.
    """

    scope: Scope
    found: Picture
    wanted: Picture
    dialect: Dialect
    decided: frozenset[str] = frozenset()
    has_hook: bool = False
    own_changes: list[object] = field(default_factory=list)

    @property
    def has_own_writer(self) -> bool:
        """Whether the service decides what is written."""
        return bool(self.own_changes)

    def differences(self, after: Picture | None = None) -> list[Difference]:
        """Return each object that differs, as far as the service's own filters want it compared.

        Args:
            after: what a database holds now, instead of what was found there.
        """
        if after is None:
            return self._differences
        return self._compare(describe(self.scope, after, self.wanted))

    @cached_property
    def _differences(self) -> list[Difference]:
        return self._compare(self.found)

    def _compare(self, found: Picture) -> list[Difference]:
        return [one for one in differences(found, self.wanted) if self._counts(one)]

    @property
    def changed_tables(self) -> set[tuple[str, ...] | None]:
        """The keys of the tables that differ; None among them where something else does, too."""
        sides = ((one.first or one.second, one.first is None) for one in self.differences())
        return {
            self.scope.topmost(one, self.wanted if is_new else self.found)
            for one, is_new in sides
            if one is not None
        }

    def _counts(self, difference: Difference) -> bool:
        if difference.second is None and difference.key.startswith("sequence of "):
            return False  # it is left over from a serial column, and harms nobody
        is_column = difference.key.startswith("column ")
        if is_column and difference.facets and self.decided >= {*difference.facets}:
            return False
        if difference.second is not None:
            return is_included(difference.second, self.scope, is_in_models=True)
        assert difference.first is not None  # noqa: S101 - for the type checker
        return is_included(difference.first, self.scope, is_in_models=False)

    def definitions(
        self, kind: str, schema: str | None, *names: str
    ) -> tuple[Facets | None, Facets | None]:
        """Return what both say of an object; None where it is not there."""
        key = self.scope.key(kind, schema, *names)
        found, wanted = (by_key.get(key) for by_key in self._by_key)
        return found.definition if found else None, wanted.definition if wanted else None

    def checks(self, schema: str | None, table: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the definitions of a table's CHECKs in both, by name."""
        parent = self.scope.key("table", schema, table)
        found, wanted = (
            {
                key[-1].removeprefix(f"{table}."): str(one.definition["definition"])
                for key, one in by_key.items()
                if self.scope.key_of_parent(one) == parent
                and (one.kind == "check" or _is_check(one))
            }
            for by_key in self._by_key
        )
        return found, wanted

    @cached_property
    def _by_key(self) -> tuple[dict[tuple[str, ...], SchemaObject], ...]:
        return tuple(
            {self.scope.key_of(one): one for one in picture.objects.values()}
            for picture in (self.found, self.wanted)
        )


def _is_check(one: SchemaObject) -> bool:
    return one.kind == "constraint" and str(one.definition["definition"]).startswith("CHECK")


def final_name(item: Index | Constraint, dialect: Dialect) -> str | None:
    """Return the name that a constraint or index gets, by the convention and cut to length."""
    name = whole_name(item, dialect)
    if name is None or dialect.name != "postgresql":
        return name
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")


def whole_name(item: Index | Constraint, dialect: Dialect) -> str | None:
    """Return the name that a server is asked for: SQLAlchemy cuts it, but counts characters."""
    preparer = dialect.identifier_preparer
    quoted = preparer.format_constraint(item)
    return preparer.unformat_identifiers(quoted)[0] if quoted else None
