"""Random models, from a seed.

Plain seeds are enough: a case is data, so `shrinking` makes it smaller without a library, and
makes a case in a hundredth of a second.
"""

from collections.abc import Callable
from dataclasses import replace

from support.random_models.items import Column, EnumType, Part, Sequence
from support.random_models.kinds import Kind, choices, kinds
from support.random_models.models import Models, Table
from support.random_models.parts import Parts
from support.random_models.pruning import pruned

MEMBERS = ["new", "old", "it's", "Ü b", "50%", "done"]
COMMENTS = ["plain", "it's", 'with "quotes"', "50% of\ntwo lines", "größer", "\\ and ;"]
SCHEMAS = ["other", "My Schema"]
IDENTITIES = ["sa.Identity()", "sa.Identity(always=True)", "sa.Identity(start=100, increment=10)"]
COMPUTED = {"integer": "sa.Numeric()", "number": "sa.Numeric()", "text": "sa.Text()"}
NO_KEYS = {"enum", "array"}  # of foreign keys
INTEGER = Kind("sa.Integer()", "integer")
PRIMARY_KEYS: dict[str, list[Column]] = {
    "serial": [Column("id", INTEGER)],
    "bigserial": [Column("id", Kind("sa.BigInteger()", "integer"))],
    "uuid": [Column("id", Kind("sa.Uuid()", "uuid"))],
    "text": [Column("code", Kind("sa.String(20)", "text"))],
    "composite": [Column("part", INTEGER), Column("Line", Kind("sa.String(9)", "text"))],
    "none": [],
}
Maker = Callable[[Table, str], Part | None]


class Generator(Parts):
    """Makes models and all that is in them."""

    def models(self) -> Models:
        """Return models of one to six tables."""
        enums = tuple(self.enum() for _ in range(self.chance.choice((0, 1, 1, 2))))
        sequences = (self.sequence(),) if self.is_postgresql and self.likely(0.3) else ()
        models = Models((), enums, sequences)
        for _ in range(self.chance.randint(1, 6)):
            models = replace(models, tables=(*models.tables, self.table(models)))
        for _ in range(self.chance.randint(0, len(models.tables) + 1)):
            models = self.with_foreign_key(models, self.chance.choice(models.tables)) or models
        return pruned(models)  # a type that no column has is not created

    def schema(self) -> str | None:
        """Return a schema, most often the first of the search path."""
        return self.chance.choice((None, None, None, *SCHEMAS)) if self.is_postgresql else None

    def enum(self) -> EnumType:
        """Return an enum type, its members in any order."""
        options = self.chance.choice(
            ("", "", "native_enum=False", "native_enum=False, create_constraint=True")
        )
        members = tuple(self.chance.sample(MEMBERS, self.chance.randint(1, 4)))
        factory = self.chance.choice(("sa.Enum", "sa.Enum", "Choice"))
        return EnumType(self.number(), self.name("e"), self.schema(), members, options, factory)

    def sequence(self) -> Sequence:
        """Return a sequence."""
        options = self.chance.choice(("", ", start=10", ", increment=5, cache=3"))
        return Sequence(self.number(), self.name("s"), self.schema(), options)

    def table(self, models: Models, schema: str | None = None) -> Table:
        """Return a table without foreign keys."""
        table = Table(self.number(), self.name("t", 50), schema or self.schema(), self.primary_key())
        for _ in range(self.chance.randint(0 if table.columns else 1, 6)):
            table = replace(table, columns=(*table.columns, self.column(models, table)))
        makers: list[Maker] = [self.check, self.unique, self.index]
        for make in self.chance.choices(makers, k=self.chance.randint(0, 4)):
            table = self.with_part(table, make) or table
        if self.is_postgresql and self.likely(0.2):
            table = replace(table, comment=self.chance.choice(COMMENTS))
        return table

    def primary_key(self) -> tuple[Column, ...]:
        """Return the columns of a primary key; none where there is none."""
        kind = self.chance.choice(("serial", "serial", "bigserial", *PRIMARY_KEYS))
        columns = [replace(one, primary_key=True, nullable=False) for one in PRIMARY_KEYS[kind]]
        if self.is_postgresql and kind == "uuid":
            columns = [replace(one, default='sa.text("gen_random_uuid()")') for one in columns]
        if self.is_postgresql and kind.endswith("serial") and self.likely(0.3):
            columns = [replace(one, identity=self.chance.choice(IDENTITIES)) for one in columns]
        return tuple(columns)

    def column(self, models: Models, table: Table) -> Column:
        """Return a column for a table."""
        name = self.name("c")
        if self.likely(0.08) and (computed := self.computed(table, name, [*COMPUTED])):
            return computed
        used = {column.kind.source for column in table.columns}  # the CHECK of an enum has one name
        enums = [Kind(one.variable, "enum") for one in models.enums if one.variable not in used]
        every = enums if enums and self.likely(0.15) else kinds(is_postgresql=self.is_postgresql)
        column = Column(name, self.chance.choice(every), nullable=self.likely(0.6))
        if self.is_postgresql and self.likely(0.15):
            column = replace(column, comment=self.chance.choice(COMMENTS))
        is_first = self.is_postgresql and not any(one.identity for one in table.columns)
        if is_first and column.kind.family == "integer" and self.likely(0.06):
            return replace(column, nullable=False, identity=self.chance.choice(IDENTITIES))
        return replace(column, default=self.default(models, column.kind)) if self.likely(0.4) else column

    def default(self, models: Models, kind: Kind, other_than: str | None = None) -> str | None:
        """Return a server default for a type, as Python; None where there is no other one."""
        found = choices(kind.family, "values", is_postgresql=self.is_postgresql)
        if kind.family == "integer":
            found += [one.next_value() for one in models.sequences]
        found += [repr(each) for one in models.enums if one.variable == kind.source for each in one.members]
        return self.chance.choice([each for each in found if each != other_than] or [None])

    def computed(self, table: Table, name: str, families: list[str]) -> Column | None:
        """Return a column that is computed from another one, whose type is of such a family."""
        sources = [one for one in table.columns if one.kind.family in families and not one.computed]
        if not sources:
            return None
        source = self.chance.choice(sources)
        expression = self.chance.choice(self.choices(source, "expressions"))
        kind = Kind(COMPUTED[source.kind.family], source.kind.family)
        computed = f"sa.Computed({expression!r}, persisted=True)"
        return Column(name, kind, computed=computed, needs=frozenset([source.name]))

    def with_part(self, table: Table, make: Maker) -> Table | None:
        """Return the table with one more constraint or index, which `make` makes; None if it cannot."""
        is_check = make == self.check
        part = make(table, self.name("p") if is_check or self.likely(0.6) else "")
        # Names of the convention would collide.
        if part is None or any((part.kind, part.identity) == (one.kind, one.identity) for one in table.parts):
            return None
        return replace(table, parts=(*table.parts, part))

    def with_foreign_key(self, models: Models, table: Table) -> Models | None:
        """Return the models with new columns of one table that refer to any table, or to itself."""
        other = self.chance.choice(models.tables)
        keys = [
            key
            for key in other.keys(table)
            if NO_KEYS.isdisjoint(other.column(one).kind.family for one in key)
        ]
        if not keys:
            return None
        referred = self.chance.choice(keys)
        columns = [Column(self.name("r"), other.column(name).kind.without_check()) for name in referred]
        names = tuple(column.name for column in columns)
        part = self.foreign_key(names, (other.key, referred), self.name("f") if self.likely(0.4) else "")
        return models.with_table(
            replace(table, columns=(*table.columns, *columns), parts=(*table.parts, part))
        )
