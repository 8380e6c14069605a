"""Models as plain data, which can be changed, made smaller, and printed as Python or SQL."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.mock import MockConnection

from app.naming import NAMING_CONVENTION
from support.random_models.items import Column, EnumType, Key, Part, Sequence
from support.random_models.kinds import NAMESPACE

Item = TypeVar("Item")


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
        return replace(
            self, tables=tuple(changed if one.number == changed.number else one for one in self.tables)
        )

    @property
    def schemas(self) -> set[str]:
        """The schemas that something is in: an enum without a type of its own is in none."""
        enums = [one for one in self.enums if "native_enum=False" not in one.options]
        items: list[Table | EnumType | Sequence] = [*self.tables, *enums, *self.sequences]
        return {one.schema for one in items if one.schema}

    def source(self) -> str:
        """Return the models as Python."""
        parts = [*(one.source() for one in self.enums), *(one.source() for one in self.sequences)]
        parts += [line for table in self.tables for line in table.source()]
        return "\n".join(parts)

    def metadata(self) -> sa.MetaData:
        """Make SQLAlchemy's tables of them."""
        metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
        exec(self.source(), {**NAMESPACE, "metadata": metadata})  # noqa: S102 - made here
        return metadata

    def shuffled(self, chance: random.Random) -> "Models":
        """Return the same models in another order, as far as order means nothing."""

        def mixed(items: tuple[Item, ...]) -> tuple[Item, ...]:
            return tuple(chance.sample(items, len(items)))

        tables = tuple(replace(table, parts=mixed(table.parts)) for table in mixed(self.tables))
        return replace(self, tables=tables)


def statements(metadata: sa.MetaData, dialect: Dialect) -> list[str]:
    """Return what `create_all` would send to an empty database."""
    sent: list[str] = []
    connection = MockConnection(
        dialect, lambda sql, *_, **__: sent.append(str(sql.compile(dialect=dialect)).strip())
    )
    metadata.create_all(connection, checkfirst=False)
    return sent
