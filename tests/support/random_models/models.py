"""Models as plain data, which can be changed, made smaller, and printed as Python or SQL."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.mock import MockConnection

from app.naming import NAMING_CONVENTION
from support.random_models.kinds import NAMESPACE, Kind

Key = tuple[str | None, str]  # schema and name


@dataclass(frozen=True)
class EnumType:
    """An enum type, which several columns may have. Its variable in Python is `enum_<number>`."""

    number: int
    name: str
    schema: str | None
    members: tuple[str, ...]
    options: str = ""  # as Python: `native_enum=False`, …
    factory: str = "sa.Enum"

    @property
    def variable(self) -> str:
        """Its name in Python."""
        return f"enum_{self.number}"

    def source(self) -> str:
        """The type as Python."""
        members = ", ".join(map(repr, self.members))
        schema = f", schema={self.schema!r}" if self.schema else ""
        options = f", {self.options}" if self.options else ""
        return f"{self.variable} = {self.factory}({members}, name={self.name!r}{schema}{options})"


@dataclass(frozen=True)
class Sequence:
    """A sequence of its own."""

    number: int
    name: str
    schema: str | None
    options: str

    @property
    def variable(self) -> str:
        """Its name in Python."""
        return f"sequence_{self.number}"

    def next_value(self) -> str:
        """A server default of it, as Python."""
        return f"{self.variable}.next_value()"

    def source(self) -> str:
        """The sequence as Python."""
        return f"{self.variable} = sa.Sequence({self.name!r}, metadata=metadata, schema={self.schema!r}{self.options})"


@dataclass(frozen=True)
class Column:
    """A column; `default`, `identity` and `computed` are Python."""

    name: str
    kind: Kind
    primary_key: bool = False
    nullable: bool = True
    default: str | None = None
    identity: str | None = None
    computed: str | None = None
    comment: str | None = None
    needs: frozenset[str] = frozenset()  # columns that it is computed from

    def source(self) -> str:
        """The column as Python."""
        parts = [repr(self.name), self.kind.source.format(name=self.name)]
        parts += [part for part in (self.identity, self.computed) if part]
        if self.primary_key:
            parts.append("primary_key=True")
        else:
            parts.append(f"nullable={self.nullable}")
        parts += [f"server_default={self.default}"] if self.default else []
        parts += [f"comment={self.comment!r}"] if self.comment else []
        return f"sa.Column({', '.join(parts)})"


@dataclass(frozen=True)
class Part:
    """A constraint or an index of a table.

    Args:
        kind: `unique`, `check`, `foreign key` or `index`.
        identity: what it is called, or which columns it has: one of a kind in its table.
        source: as Python; `{table}` is the table's variable.
        needs: columns of the table, in order.
        target: what a foreign key refers to, with its columns in order.
        is_key: whether a foreign key may refer to its columns.
    """

    kind: str
    identity: str
    source: str
    needs: tuple[str, ...]
    target: tuple[Key, tuple[str, ...]] | None = None
    is_key: bool = False


@dataclass(frozen=True)
class Table:
    """A table with all that goes with it. Its variable in Python is `table_<number>`."""

    number: int
    name: str
    schema: str | None
    columns: tuple[Column, ...]
    parts: tuple[Part, ...] = ()
    comment: str | None = None

    @property
    def key(self) -> Key:
        """Schema and name."""
        return self.schema, self.name

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The names of its columns, none where there is no primary key."""
        return tuple(column.name for column in self.columns if column.primary_key)

    def keys(self, of: "Table") -> Iterator[tuple[str, ...]]:
        """Yield the columns that foreign keys of a table may refer to.

        A unique index is created after its table, so not by the table's own.
        """
        if self.primary_key:
            yield self.primary_key
        for part in self.parts:
            if part.is_key and (part.kind == "unique" or of.number != self.number):
                yield part.needs

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)

    def source(self) -> Iterator[str]:
        """Yield the table as Python, and then its indexes."""
        constraints = [part.source for part in self.parts if part.kind != "index"]
        lines = [repr(self.name), "metadata", *(column.source() for column in self.columns), *constraints]
        lines += [f"schema={self.schema!r}"] if self.schema else []
        lines += [f"comment={self.comment!r}"] if self.comment else []
        yield f"table_{self.number} = sa.Table(\n    " + ",\n    ".join(lines) + ",\n)"
        for part in self.parts:
            if part.kind == "index":
                yield part.source.replace("{table}", f"table_{self.number}")


@dataclass(frozen=True)
class Models:
    """All tables, with the types and sequences that they use."""

    tables: tuple[Table, ...] = ()
    enums: tuple[EnumType, ...] = ()
    sequences: tuple[Sequence, ...] = ()

    def with_table(self, changed: Table) -> "Models":
        """Return the models with a table in place of the one with its number."""
        return replace(self, tables=tuple(changed if one.number == changed.number else one for one in self.tables))

    @property
    def schemas(self) -> set[str]:
        """The schemas that something is in."""
        return {one.schema for one in (*self.tables, *self.enums, *self.sequences) if one.schema}

    def source(self) -> str:
        """Return the models as Python."""
        parts = [*(one.source() for one in (*self.enums, *self.sequences))]
        parts += [line for table in self.tables for line in table.source()]
        return "\n".join(parts)

    def metadata(self) -> sa.MetaData:
        """Make SQLAlchemy's tables of them."""
        metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
        exec(self.source(), {**NAMESPACE, "metadata": metadata})  # noqa: S102 - made here
        return metadata

    def shuffled(self, chance: random.Random) -> "Models":
        """Return the same models in another order, as far as order means nothing."""

        def mixed(items: tuple) -> tuple:
            return tuple(chance.sample(items, len(items)))

        tables = tuple(replace(table, parts=mixed(table.parts)) for table in mixed(self.tables))
        return replace(self, tables=tables)


def statements(metadata: sa.MetaData, dialect: Dialect) -> list[str]:
    """Return what `create_all` would send to an empty database."""
    sent: list[str] = []
    connection = MockConnection(dialect, lambda sql, *_, **__: sent.append(str(sql.compile(dialect=dialect)).strip()))
    metadata.create_all(connection, checkfirst=False)
    return sent
