"""What models are made of, as plain data: columns, constraints, indexes, enum types and sequences."""

from dataclasses import dataclass

from support.random_models.kinds import Kind

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
        options = f"metadata=metadata, schema={self.schema!r}{self.options}"
        return f"{self.variable} = sa.Sequence({self.name!r}, {options})"


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
