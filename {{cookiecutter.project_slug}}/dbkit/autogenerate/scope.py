"""What models can describe of a schema, and which of it they take the place of."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Enum, MetaData, Sequence, Table

from dbkit.alembic_internals import sequences_of
from dbkit.autogenerate.enum_types import enums_of, used_by_those_alone
from dbkit.schema import Picture, SchemaObject

Filters = Mapping[str, Any]  # `include_name` and `include_object`, as Alembic calls them
PART = re.compile(r'"((?:[^"]|"")+)"|([^.]+)')
VIEWS = ("view", "materialized view")
OF_TABLES = {"column", "constraint", "index", "check", "unique constraint", "foreign key"}
# Properties that models decide; of the second kind, where they say something.
ALWAYS = {
    "table": {"partitioned", "inherits", "comment"},
    "column": {"type", "collation", "not null", "default", "computed", "identity", "comment"}
    | {"primary key", "autoincrement"},
    "constraint": {"definition"},
    "index": {"definition"},
    "type": {"enum"},
    "schema": set[str](),
}
WHERE_SAID = {"table": {"options", "unlogged", "strict", "without rowid"}}


def names_in(name: str) -> tuple[str, ...]:
    """Split a name such as `public."Order".id`, of PostgreSQL, into its parts without quotes."""
    parts = PART.findall(name)
    return tuple(quoted.replace('""', '"') or bare for quoted, bare in parts)


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
    def replaced(self) -> dict[tuple[str, ...], SchemaObject]:
        """Tables of the database that models describe, or that no model has any more."""
        models = {self.key("table", table.schema, table.name) for table in self.tables}
        tables = {
            self.key_of(one): one for one in self.found.objects.values() if one.kind == "table"
        }
        return {
            key: one
            for key, one in tables.items()
            if key in models or self._would_be_dropped(key, one)
        }

    @cached_property
    def sequences(self) -> dict[tuple[str, ...], Sequence]:
        """The models' sequences."""
        return {
            self.key("sequence", one.schema, one.name): one for one in sequences_of(self.metadata)
        }

    @cached_property
    def enums(self) -> dict[tuple[str, ...], Enum]:
        """The models' enum types that are types of the database."""
        if self.default_schema is None:
            return {}
        found = enums_of(self.tables, self.metadata)
        return {self.key("type", *names): enum for names, enum in found.items()}

    @cached_property
    def replaced_types(self) -> dict[tuple[str, ...], SchemaObject]:
        """Enum types of the database that models describe, or that only replaced tables use."""
        objects = self.found.objects.values()
        types = [one for one in objects if "enum" in one.definition]
        unused = used_by_those_alone(
            types, objects, lambda one: self._table_of(one, self.found) in self.replaced
        )
        by_key = [(self.key_of(one), one) for one in types]
        names = {one.name for one in unused}
        return {
            key: one
            for key, one in by_key
            if key in self.enums or (one.name in names and self._would_be_dropped(key, one))
        }

    def described(self, picture: Picture, wanted: Picture | None = None) -> Picture:
        """Return what models can describe of `picture`.

        Args:
            wanted: the picture of what they do describe: what they may leave open counts where
                it is said there.
        """
        ours = {self.key("table", table.schema, table.name) for table in self.tables}
        ours |= set(self.replaced)
        schemas = {table.schema for table in self.tables} - {None}
        schemas |= {enum.schema for enum in self.enums.values()}
        kept = []
        for one in picture.objects.values():
            key = self.key_of(one)
            is_described = (
                self._table_of(one, picture) in ours
                if one.kind in OF_TABLES | {"table", "sequence of"}
                else key in self.sequences
                or key in self.enums
                or key in self.replaced_types
                or (one.kind == "schema" and key[1] in schemas)
            )
            if is_described:
                said = wanted.objects.get(one.key) if wanted else one
                kept.append(_reduced(one, said))
        return Picture.of(picture.dialect, picture.version, kept)

    def table_of(self, one: SchemaObject) -> Table | None:
        """Return the models' table that an object belongs to; one that looks like it, if none."""
        key = self.key_of_parent(one)
        if key[0] != "table":  # an index of a constraint, say
            return None
        for table in self.tables:
            if self.key("table", table.schema, table.name) == key:
                return table
        schema = None if len(key) < 3 or key[1] == self.default_schema else key[1]
        return Table(key[-1], MetaData(), schema=schema)

    def _table_of(self, one: SchemaObject, picture: Picture) -> tuple[str, ...] | None:
        """Return the key of the table that an object belongs to, or is."""
        while one.parent is not None and one.parent in picture.objects:
            one = picture.objects[one.parent]
        return self.key_of(one) if one.kind == "table" else None

    def _would_be_dropped(self, key: tuple[str, ...], one: SchemaObject) -> bool:
        if "bound" in one.definition or key[-1] in self.own:
            return False
        name, schema = key[-1], None if key[1] == self.default_schema else key[1]
        schema = None if self.default_schema is None else schema
        table = Table(name, MetaData(), schema=schema)
        parents = {"schema_name": schema, "schema_qualified_table_name": table.fullname}
        if schema and not self.filters["include_name"](schema, "schema", {}):
            return False
        return bool(
            self.filters["include_name"](name, "table", parents)
            and self.filters["include_object"](table, name, "table", True, None)
        )


def _reduced(one: SchemaObject, said: SchemaObject | None) -> SchemaObject:
    """Return an object with those properties alone that models decide."""
    names = ALWAYS.get(one.kind)
    definition = dict(one.definition)
    if names is not None:
        said_names = WHERE_SAID.get(one.kind, set()) & set(said.definition if said else ())
        definition = {
            name: value for name, value in definition.items() if name in names | said_names
        }
    if one.kind == "constraint":
        definition["definition"] = str(definition["definition"]).removesuffix(" NOT VALID")
    return replace(one, definition=definition)
