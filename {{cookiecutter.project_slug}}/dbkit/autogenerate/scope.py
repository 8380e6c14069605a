"""What models can describe of a schema, and which of it they take the place of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Enum, MetaData, Sequence, Table
from sqlalchemy.dialects.postgresql import DOMAIN

from dbkit.alembic_internals import sequences_of
from dbkit.autogenerate.enum_types import domains_of, enums_of, used_by_those_alone
from dbkit.schema import Picture, SchemaObject, names_in

Filters = Mapping[str, Any]  # `include_name` and `include_object`, as Alembic calls them
UNDESCRIBED = {"bound", "virtual"}  # partitions, and virtual tables of SQLite: revisions make them
VIEWS = ("view", "materialized view")


@dataclass(frozen=True)
class Scope:
    """What is compared: the models' objects, and those that would go because no model has them.

    Args:
        metadata: the models' tables.
        found: what the revisions have built.
        filters: keywords of `configure` that leave objects out.
        default_schema: the one that a table without a schema is in; None on SQLite.
        own: names of the tables that the kit keeps.
    """

    metadata: MetaData
    found: Picture
    filters: Filters
    default_schema: str | None
    own: frozenset[str]

    def key(self, kind: str, schema: str | None, *names: str) -> tuple[str, ...]:
        """Return what tells an object from others of the same kind, whatever is quoted."""
        if self.default_schema is None:
            return (kind, ".".join(names))
        return (kind, schema or self.default_schema, *names)

    def key_of(self, one: SchemaObject) -> tuple[str, ...]:
        """Return the same for an object of a picture."""
        if self.default_schema is None:
            return (one.kind, one.name)
        return (one.kind, *names_in(one.name))

    def key_of_parent(self, one: SchemaObject) -> tuple[str, ...]:
        """Return the same for the object that it belongs to."""
        kind, _, name = (one.parent or "").partition(" ")
        return self.key_of(replace(one, kind=kind, name=name))

    @cached_property
    def tables(self) -> list[Table]:
        """The models' tables, without those that a filter leaves out or that are views."""
        views = {self.key_of(one)[1:] for one in self.found.objects.values() if one.kind in VIEWS}
        include: Callable[..., bool] = self.filters["include_object"]
        return [
            table
            for table in self.metadata.tables.values()
            if self.key("table", table.schema, table.name)[1:] not in views
            and include(table, table.name, "table", False, None)
        ]

    @cached_property
    def by_key(self) -> dict[tuple[str, ...], Table]:
        """The models' tables by what tells them apart."""
        return {self.key("table", table.schema, table.name): table for table in self.tables}

    @cached_property
    def replaced(self) -> dict[tuple[str, ...], SchemaObject]:
        """Tables of the database that models describe, or that no model has any more."""
        return {
            key: one
            for one in self.found.objects.values()
            if one.kind == "table"
            and ((key := self.key_of(one)) in self.by_key or self._would_be_dropped(key, one))
        }

    @cached_property
    def partitions(self) -> set[tuple[str, ...]]:
        """Tables that come and go with another one, and of which models need say nothing."""
        tables = (one for one in self.found.objects.values() if one.kind == "table")
        keys = {self.key_of(one) for one in tables if "bound" in one.definition}
        return keys - self.by_key.keys()

    @cached_property
    def sequences(self) -> dict[tuple[str, ...], Sequence]:
        """The models' sequences."""
        return {
            self.key("sequence", one.schema, one.name): one for one in sequences_of(self.metadata)
        }

    @cached_property
    def schemas(self) -> set[str]:
        """The schemas that models name."""
        named = {table.schema for table in self.tables}
        named |= {one.schema for one in self.sequences.values()}
        named |= {one.schema for one in (*self.enums.values(), *self.domains.values())}
        return {schema for schema in named if schema is not None}

    @cached_property
    def enums(self) -> dict[tuple[str, ...], Enum]:
        """The models' enum types that are types of the database."""
        if self.default_schema is None:
            return {}
        found = enums_of(self.tables, self.metadata)
        return {self.key("type", *names): enum for names, enum in found.items()}

    @cached_property
    def domains(self) -> dict[tuple[str, ...], DOMAIN]:
        """The models' domains."""
        if self.default_schema is None:
            return {}
        found = domains_of(self.tables, self.metadata)
        return {self.key("type", *names): domain for names, domain in found.items()}

    @cached_property
    def replaced_types(self) -> dict[tuple[str, ...], SchemaObject]:
        """Enum types of the database that models describe, or that only replaced tables use."""
        objects = self.found.objects.values()
        types = [one for one in objects if "enum" in one.definition]
        unused = used_by_those_alone(
            types, objects, lambda one: self.topmost(one, self.found) in self.replaced
        )
        names = {one.name for one in unused}
        return {
            key: one
            for key, one in ((self.key_of(one), one) for one in types)
            if key in self.enums or (one.name in names and self._would_be_dropped(key, one))
        }

    def table_of(self, one: SchemaObject) -> Table | None:
        """Return the models' table that an object belongs to; one that looks like it, if none."""
        key = self.key_of_parent(one)
        if key[0] != "table":  # an index of a constraint, say
            return None
        return self.by_key[key] if key in self.by_key else self._stand_in(key)

    def _stand_in(self, key: tuple[str, ...]) -> Table:
        schema = None if self.default_schema in (None, key[1]) else key[1]
        return Table(key[-1], MetaData(), schema=schema)

    def topmost(self, one: SchemaObject, picture: Picture) -> tuple[str, ...] | None:
        """Return the key of the table that an object belongs to, or is; None if there is none."""
        while one.parent is not None and one.parent in picture.objects:
            one = picture.objects[one.parent]
        return self.key_of(one) if one.kind == "table" else None

    def _would_be_dropped(self, key: tuple[str, ...], one: SchemaObject) -> bool:
        if not UNDESCRIBED.isdisjoint(one.definition) or one.parent or key[-1] in self.own:
            return False
        table = self._stand_in(key)
        name, schema = table.name, table.schema
        parents = {"schema_name": schema, "schema_qualified_table_name": table.fullname}
        include_name = self.filters["include_name"]
        return bool(
            (schema is None or include_name(schema, "schema", {}))
            and include_name(name, "table", parents)
            and self.filters["include_object"](table, name, "table", True, None)
        )
