"""Random constraints and indexes of a table."""

from support.random_models.chance import Chance
from support.random_models.items import Column, Key, Part
from support.random_models.kinds import choices
from support.random_models.models import Table


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


class Parts(Chance):
    """Makes parts of tables. Each method returns None where the table cannot have such a part."""

    def choices(self, column: Column, what: str) -> list[str]:
        """The conditions, expressions or indexes that a column can have, with its name in them."""
        found = choices(column.kind.family, what, is_postgresql=self.is_postgresql)
        return [text.format(quoted(column.name), name=column.name) for text in found]

    def check(self, table: Table, name: str) -> Part | None:
        """Return a CHECK of one column or two."""
        columns = self.chance.sample(table.columns, min(len(table.columns), self.chance.choice((1, 1, 2))))
        found = {one.name: self.choices(one, "conditions") for one in columns}
        conditions = [f"({self.chance.choice(each)})" for each in found.values() if each]
        if not conditions:
            return None
        text = self.chance.choice((" AND ", " OR ")).join(conditions)
        source = f"sa.CheckConstraint({text!r}, name={name!r})"
        return Part("check", name, source, tuple(column for column, each in found.items() if each))

    def unique(self, table: Table, name: str) -> Part | None:
        """Return a UNIQUE constraint; the convention names it unless `name` is given."""
        columns = tuple(column.name for column in self._sorted(table, 2))
        others = [part.needs for part in table.parts if part.kind == "unique"]
        if columns in [(), table.primary_key, *others]:  # SQLite has one index for both
            return None
        options = [f"name={name!r}"] if name else []
        if name and self.is_postgresql and self.likely(0.3):
            special = ('deferrable=True, initially="DEFERRED"', "deferrable=True")
            options.append(self.chance.choice((*special, "postgresql_nulls_not_distinct=True")))
        source = f"sa.UniqueConstraint({', '.join([*map(repr, columns), *options])})"
        return Part("unique", name or f"({columns[0]})", source, columns, is_key="deferrable" not in source)

    def index(self, table: Table, name: str) -> Part | None:
        """Return an index of any kind; the convention names it unless `name` is given."""
        columns = self._sorted(table, 3)
        if not columns:
            return None
        if name and self.likely(0.2) and (special := self.choices(columns[0], "indexes")):
            source = f"sa.Index({name!r}, {_plain(columns[0])}, {self.chance.choice(special)})"
            return Part("index", name, source, (columns[0].name,))
        items = [self._item(column) if name else _plain(column) for column in columns]
        options = ["unique=True"] if self.likely(0.3) else []
        is_key = items == [_plain(column) for column in columns] and bool(options)
        if name and (more := self._index_options(table, columns)):
            options.append(more)
            is_key = False
        needs = tuple(column.name for column in columns)
        source = f"sa.Index({', '.join([repr(name or None), *items, *options])})"
        return Part("index", name or f"({needs[0]})", source, needs, is_key=is_key)

    def _item(self, column: Column) -> str:
        expressions = self.choices(column, "expressions")
        if expressions and self.likely(0.25):
            return f"sa.text({self.chance.choice(expressions)!r})"
        orders = ["desc()", *(["asc().nulls_first()", "desc().nulls_last()"] if self.is_postgresql else [])]
        return f"{_plain(column)}.{self.chance.choice(orders)}" if self.likely(0.25) else _plain(column)

    def _index_options(self, table: Table, columns: list[Column]) -> str:
        column = self.chance.choice(columns)
        conditions = [*self.choices(column, "conditions"), f"{quoted(column.name)} IS NOT NULL"]
        condition = f"sa.text({self.chance.choice(conditions)!r})"
        options = {"where": f"postgresql_where={condition}, sqlite_where={condition}"}
        if self.is_postgresql:
            options["include"] = f"postgresql_include=[{column.name!r}]"
            options["with"] = 'postgresql_with={"fillfactor": 70}'
            options["nulls"] = "postgresql_nulls_not_distinct=True"
        return self.chance.choice([*options.values()]) if self.likely(0.4) else ""

    def foreign_key(self, columns: tuple[str, ...], target: tuple[Key, tuple[str, ...]], name: str) -> Part:
        """Return a foreign key; the convention names it unless `name` is given."""
        (schema, table), referred = target
        full = f"{schema}.{table}" if schema else table
        options = [repr([*columns]), repr([f"{full}.{column}" for column in referred])]
        options += [f"name={name!r}"] if name else []
        for share, values in (
            (0.4, ('ondelete="CASCADE"', 'ondelete="SET NULL"', 'ondelete="RESTRICT"')),
            (0.1, ('onupdate="CASCADE"',)),
            (0.15, ('deferrable=True, initially="DEFERRED"', "deferrable=True")),
            (0.15, ("use_alter=True",)),
        ):
            options += [self.chance.choice(values)] if self.likely(share) else []
        source = f"sa.ForeignKeyConstraint({', '.join(options)})"
        return Part("foreign key", name or f"({columns[0]})", source, columns, target)

    def _sorted(self, table: Table, most: int) -> list[Column]:
        """Some columns that a B-tree can have."""
        found = [column for column in table.columns if column.kind.is_sorted]
        return self.chance.sample(found, min(len(found), self.chance.randint(1, most)))


def _plain(column: Column) -> str:
    return f"{{table}}.c[{column.name!r}]"
